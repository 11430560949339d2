"""What jobs and their arguments were called before: those still queued at an upgrade run by their old names."""

from typing import Any

from app.queue.service import Lease

ALIASES = {
    "payments.create_for_merchant": "payments.open",
    "fulfillment.collect": "keys.collect",
    "fulfillment.return_keys": "refunds.return_keys",
    "fulfillment.check_return": "refunds.check_return",
    "fulfillment.resume_stuck": "fulfillment.pick_up",
    "fulfillment.report_slow": "fulfillment.tell_slow",
    "refunds.request": "refunds.ask",
    "maintenance.purge": "house.tidy",
}
"""A job's name → its name before 0.2.0. Those still queued at the upgrade run; to be dropped in the release after."""

ARGUMENTS = {"scenario": "play", "remaining_ms": "rest"}
"""An argument's name → its name before 0.2.0. To be dropped in the release after, too."""


def names(name: str) -> list[str]:
    """The names under which a job may stand in the table: today's, and the one from before."""
    return [name, *([ALIASES[name]] if name in ALIASES else [])]


def argument(lease: Lease, name: str) -> Any:
    """An argument of a job by its name of today, also of one that was queued before the upgrade. Raises KeyError."""
    return lease.args[name if name in lease.args else ARGUMENTS[name]]
