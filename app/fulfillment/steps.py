"""From paid to keys, a step a job: reserve (look, then buy), check (ask how it stands), collect (fetch and seal).

Every step may run twice, late or at once with another: what it does outside is idempotent by the reservation's id,
and what it does inside is a guarded move.
"""

from app.fulfillment.buy import SEARCH_LAG, TooEarly, reserve
from app.fulfillment.manual_actions import NotGivenUp, NotRetryable, give_up, retry_item
from app.fulfillment.track import (
    CHECKS_A_SWEEP,
    LONGEST_CHECK,
    RECHECK_LEASE,
    SILENCE,
    check,
    collect,
    hint,
    post_due_checks,
)

__all__ = [
    "CHECKS_A_SWEEP", "LONGEST_CHECK", "RECHECK_LEASE", "SEARCH_LAG", "SILENCE", "NotGivenUp", "NotRetryable",
    "TooEarly", "check", "collect", "give_up", "hint", "post_due_checks", "reserve", "retry_item",
]  # fmt: skip
