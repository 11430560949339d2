"""Why an order needs a person: each reason is an issue about it, opened and resolved under the order's lock."""

from collections.abc import Collection
from uuid import UUID

from app.core.errors import Invalid
from app.history import service as history
from app.issues import queries as open_issues
from app.issues import service as issues
from app.issues.codes import IssueCode as Code
from app.issues.models import Issue
from app.orders.changing import changing

ABOUT = "order:"  # how the subject of an order's issue begins
MOST = issues.LONGEST_DETAIL  # characters of a reason with all that was said of it

SUPPLY = frozenset(
    {Code.SOLD_OUT, Code.TOO_DEAR, Code.SUPPLY_REFUSED, Code.SUPPLY_CANCELLED, Code.SUPPLY_REFUNDED,
     Code.SUPPLY_SILENT, Code.SUPPLY_UNFUNDED, Code.JOB_GIVEN_UP}
)  # fmt: skip
"""What keeps a paid order from its keys."""
DELIVERED = SUPPLY | {Code.SUPPLIER_SLOW, Code.SUPPLIER_WORD}
"""What is settled once all that will come has come."""
OWED = frozenset(
    {Code.UNDERPAID, Code.PAID_LATE, Code.OVERPAID, Code.FURTHER_DEPOSIT, Code.MONEY_NOT_NEEDED, Code.WRONG_COIN,
     Code.REFUND_NOT_SENT}
)  # fmt: skip
"""What is settled once none of the order's money waits for its owner."""
ONCE_PAID = frozenset({Code.UNDERPAID, Code.PAID_LATE, Code.PAYMENT_NEVER_COMPLETED})
"""What is settled once the price is there."""
UNCLEAR = frozenset(
    {Code.WRONG_COIN_UNVALUED, Code.PAID_WITHOUT_MONEY, Code.PAYMENT_WITHOUT_PRICE, Code.PAYMENT_UNBELIEVABLE,
     Code.PAYMENT_STATUS_UNKNOWN, Code.PAYMENT_OTHER_ORDER, Code.PAYMENT_OTHER_AMOUNT, Code.SETTLED_LOW,
     Code.PAID_AFTER_SENT_BACK}
)  # fmt: skip
"""A payment can't be judged."""
MONEY = (
    OWED
    | UNCLEAR
    | {Code.REFUND_DUE, Code.PAYMENT_SENT_BACK, Code.PAYMENT_FAILED_WITH_MONEY, Code.PAYMENT_NEVER_COMPLETED}
)
REASONS = SUPPLY | MONEY | {
    Code.PAYOUT_STUCK, Code.KEYS_WENT_BACK, Code.KEY_BROKEN, Code.LEDGER_DIFFERS, Code.ORDER_NOTE
}  # fmt: skip
"""Each of them means that the order can't go on, or its money can't rest, without a person."""
REFUNDED = REASONS | DELIVERED
"""What is settled once all of the order's money went back."""


def stands(order: str, codes: Collection[Code] = REASONS) -> str:
    """The SQL condition that one of these reasons is open for the row which a statement calls ``order``."""
    named = ", ".join(f"'{code}'" for code in sorted(codes))
    return (
        f"EXISTS (SELECT FROM issue i WHERE i.subject = '{ABOUT}' || {order}.id"
        f" AND i.resolved_at IS NULL AND i.code IN ({named}))"
    )


class NoteNeeded(Invalid):
    title = "Say how this was dealt with"


def about(order_id: UUID) -> str:
    """The subject of an order's issues."""
    return f"{ABOUT}{order_id}"


def order_of(subject: str) -> UUID:
    """The order that a subject ``about`` one names."""
    return UUID(subject.removeprefix(ABOUT))


async def open_reason(order_id: UUID, code: Code, detail: str, *, beside: bool = False) -> bool:
    """Put the order before a person, under its lock. False if exactly this was said already.

    A reason that stands takes the new ``detail``; with ``beside`` it keeps what it says and gets a further line.
    """
    standing = await open_issues.detail(about(order_id), code)
    said = standing.split("\n") if beside and standing else []
    wanted = detail[:MOST]
    if wanted == standing or wanted in said:
        return False
    lines = [*said, wanted]
    while len("\n".join(lines)) > MOST:
        lines = lines[1:]
    await issues.open_issue(about(order_id), code, "\n".join(lines))
    return True


async def resolve_reasons(order_id: UUID, codes: Collection[Code]) -> None:
    """What the order waited for has come by itself: these reasons end, others stand until they are settled."""
    await issues.resolve_each(about(order_id), codes)


async def has_reason(order_id: UUID, codes: Collection[Code]) -> bool:
    return await open_issues.is_open(about(order_id), codes)


async def mark_dealt_with(issue: Issue, *, by: str, note: str) -> bool:
    """A person has dealt with an order's reason and says how. In the surrounding transaction. False if it has ended.

    Raises EndsByItself, and NoteNeeded. The timeline names the issue, not the note: its customer may read it.
    """
    if not note.strip():
        raise NoteNeeded("Write a short note: it stays with the order.", field="note")
    order_id = order_of(issue.subject)
    async with changing(order_id):
        if not await issues.mark_resolved(issue, by=by, note=note):
            return False
        await history.record(order_id, "issue.resolved", issue=str(issue.id), code=issue.code)
        return True
