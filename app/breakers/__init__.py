"""One circuit breaker a provider, shared by all processes: while one is open, its work waits instead of failing."""
