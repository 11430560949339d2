"""Which refusals get a line of the audit log. The log can't be shortened, so strangers must not be able to fill it:
the first of an hour are written, and after them every tenth power, with how many there were."""

from app.core import metrics, rate_limit

HOUR = 3600  # seconds
EACH = 20  # lines a caller may add in an hour for one action before only the round numbers are written
ALL = 200  # the same for everybody together


async def counted(action: str, who: str) -> str | None:
    """Count a refusal of ``action`` to ``who``. What its line says of the count ("" for a first one); None for no line.

    With Redis away this process counts for itself.
    """
    by_caller = await rate_limit.count(f"audit:{action}", who, HOUR)
    by_all = await rate_limit.count(f"audit:{action}", "", HOUR)
    if not _is_sample(by_caller, EACH) or not _is_sample(by_all, ALL):
        metrics.DENIALS.labels("counted").inc()
        return None
    metrics.DENIALS.labels("written").inc()
    if by_all > ALL:
        return f" ({by_all} by all callers this hour)"
    return f" ({by_caller} by this caller this hour)" if by_caller > EACH else ""


def _is_sample(number: int, first: int) -> bool:
    return number <= first or number == 10 ** (len(str(number)) - 1)
