"""Prometheus metrics: every name in one place, so that the page of them can be read at a glance."""

from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Histogram(
    "bitloot_http_request_seconds",
    "Time to answer, by route and status.",
    ["method", "route", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5),
)
NOTICES = Counter(
    "bitloot_inbound_webhooks_total", "Notices from providers, by what became of them.", ["provider", "outcome"]
)
PROVIDER_CALLS = Histogram(
    "bitloot_provider_call_seconds",
    "Calls to providers.",
    ["provider", "call", "outcome"],
    buckets=(0.01, 0.05, 0.1, 0.5, 1, 5, 15),
)
STREAMS = Gauge("bitloot_live_streams", "Open server-sent event streams of this process.")
JOBS = Gauge("bitloot_jobs", "Jobs by state, from the database.", ["status"])
OLDEST_JOB = Gauge("bitloot_oldest_due_job_seconds", "How long the oldest due job has been waiting.")
ORDERS = Gauge("bitloot_orders", "Orders by state, from the database.", ["status"])
ISSUES = Gauge("bitloot_issues", "Open issues by code, from the database.", ["code"])
LEDGERS_OFF = Gauge("bitloot_ledger_differences", "Orders whose books did not balance at the last proof.")
REFUNDS = Gauge("bitloot_refunds", "Refunds by state, from the database.", ["status"])
REVEALS = Counter("bitloot_reveals_total", "Reveals answered by this process.", ["outcome"])
BROKEN_KEYS = Counter("bitloot_broken_keys_total", "Keys that did not open when they were asked for.")
DENIALS = Counter(
    "bitloot_denials_total", "Requests for what is not the asker's, by what became of their line.", ["line"]
)
CONNECTIONS_REFUSED = Counter(
    "bitloot_connections_refused_total", "Connections cut before the application saw a request.", ["status"]
)
BREAKERS = Gauge(
    "bitloot_breaker_open", "1 while work waits for a provider that is away, from the database.", ["provider"]
)
BREAKER_MOVES = Counter("bitloot_breaker_moves_total", "State changes of circuit breakers.", ["provider", "state"])
