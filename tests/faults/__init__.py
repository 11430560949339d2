"""Real processes, killed, stopped and lied to at the worst moment."""
