"""Structured JSON logs on stderr. Request, order and job ids ride in context variables; secrets never get here."""

import logging
import sys

import structlog
from structlog.typing import EventDict, Processor

HIDDEN = {"authorization", "cookie", "x-api-key", "x-api-secret", "serial", "value", "secret", "token", "password"}

bind = structlog.contextvars.bind_contextvars
bound = structlog.contextvars.bound_contextvars
unbind_all = structlog.contextvars.clear_contextvars


def _hide(_logger: object, _method: str, event: EventDict) -> EventDict:
    for name in event.keys() & HIDDEN:
        event[name] = "hidden"
    return event


def set_up(level: str, process: str) -> None:
    """Send every log line of this process, ours and the libraries', to stderr as one JSON object a line."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.format_exc_info,
        _hide,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("httpx", "httpcore", "botocore", "boto3", "urllib3", "uvicorn.access", "asyncio", "dramatiq"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    bind(process=process)


def get(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger
