"""Orders, for admins: the list, and one with everything that belongs to it."""

from typing import Any

from litestar import Request, Response, get
from litestar.params import FromPath
from msgspec.structs import asdict

from app.accounts.addresses import shown
from app.audit import queries as audit
from app.core.i18n import N_, _
from app.core.money import Money, plain
from app.core.structs import extend
from app.history import queries as history
from app.issues import queries as issues
from app.issues.models import Issue
from app.mail import queries as mail
from app.mail.kinds import KINDS as LETTERS
from app.mail.states import WORDS as MAIL_WORDS
from app.mail.states import LetterStatus
from app.orders import queries as orders
from app.orders import reasons
from app.orders.models import ListedOrder, Order
from app.orders.service import short
from app.orders.states import OrderStatus
from app.payments import accept_by_hand
from app.payments import queries as payments
from app.payments.models import Payment
from app.queue import queries as jobs
from app.web.admin import event_texts, tabs, write_offs
from app.web.admin.audit_texts import ACTIONS
from app.web.admin.issues import row as issue_row
from app.web.admin.refunds import of_order as refunds_of
from app.web.kernel import guards
from app.web.kernel.render import answer, page, wants_json
from app.web.store import order_view
from app.web.store.order_texts import EVENTS, STATUS_WORDS

Req = Request[Any, Any, Any]
STUCK = N_("Stuck: its job has failed")
NOTES = 50  # of persons who dealt with a matter, shown at the most
WORKED_ON = {LetterStatus.PENDING, LetterStatus.WAITING}  # states of a letter that goes out by itself


@get("/admin/orders", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    status = str(request.query_params.get("status", "")) or None
    status = status if status in set(OrderStatus) else None
    search = str(request.query_params.get("q", "")).strip()[:100] or None
    needs = "you" if request.query_params.get("needs") == "you" else None
    at = tabs.number(request)
    rows = await orders.page(
        status=status, search=search, limit=tabs.PAGE, offset=(at - 1) * tabs.PAGE, needing=needs is not None
    )
    counts = await orders.counts()
    open_issues = await issues.open_for_each([reasons.about(row.id) for row in rows])
    context = {
        "orders": [_row(row, open_issues[reasons.about(row.id)]) for row in rows],
        "filters": {"status": status, "q": search or "", "needs": needs},
        "counts": tabs.tabs("/admin/orders", "status", status, ((s.value, counts.get(s, 0)) for s in OrderStatus)),
        "links": tabs.links("/admin/orders", at, len(rows), status=status, q=search, needs=needs),
    }
    return page(request, "admin/orders/index.html", context, partial="admin/orders/_rows.html")


def _row(row: ListedOrder, open_issues: list[Issue]) -> dict[str, object]:
    return {
        "id": row.id,
        "short_id": short(row.id),
        "created_at": row.created_at,
        "total": Money(row.total, row.currency),
        "status": row.status,
        "status_words": _(STATUS_WORDS[row.status][0]),
        "tone": "attention" if open_issues else STATUS_WORDS[row.status][1],
        "href": f"/admin/orders/{row.id}",
        "names": row.names or f"{row.merchant}: {row.reference}",
        "test": row.test,
        "email": shown(row),
        "reasons": event_texts.reasons(open_issues),
    }


class AdminOrderView(order_view.OrderView, frozen=True):
    """The same for staff: the whole email."""

    email: str


@get("/admin/orders/{order_id:str}", include_in_schema=False)
async def show(request: Req, order_id: FromPath[str]) -> Response[bytes]:
    order = await guards.any_order(order_id)
    if wants_json(request):
        return answer(await order_view.state_of(order))
    events, subject = await history.timeline(order.id), reasons.about(order.id)
    notes = {str(issue.id): issue for issue in await issues.resolved_by_hand(subject, NOTES)}
    context = {
        "order": extend(AdminOrderView, await order_view.build(order), email=shown(order)),
        "issues": [issue_row(issue) for issue in await issues.open_for(subject)],
        "charge": {"merchant": await orders.seller(order), "reference": order.reference, "test": order.test},
        "timeline": [
            {
                "at": e.at,
                "icon": EVENTS.get(e.kind, ("dot", ""))[0],
                "text": event_texts.text(order, e, notes),
                "kind": e.kind,
            }
            for e in events
        ],
        **await _belongings(order),
        **await refunds_of(order.id),
    }
    return page(request, "admin/orders/show.html", context)


async def _belongings(order: Order) -> dict[str, object]:
    order_id = order.id
    return {
        "payments": [_payment(row) for row in await payments.of_order(order_id)],
        **await write_offs.supply_of(order),
        "jobs": await jobs.of_subject(order_id),
        "mails": [
            {
                "id": m.id,
                "at": m.sent_at or m.created_at,
                "subject": _(LETTERS[m.kind].title),
                "to": m.recipient,
                "status": m.status,
                "words": _(STUCK) if m.stuck else _(MAIL_WORDS[LetterStatus(m.status)]),
                "error": m.error,
                "again": m.stuck or m.status not in WORKED_ON,
            }
            for m in await mail.about(order_id)
        ],
        "audit": [
            {**asdict(entry), "action_words": _(ACTIONS.get(entry.action, entry.action))}
            for entry in await audit.of_order(order_id)
        ],
    }


def _payment(row: Payment) -> dict[str, object]:
    return {
        **asdict(row),
        "provider_id": row.provider_payment_id or "",
        "pay_amount": plain(row.pay_amount) if row.pay_amount is not None else "",
        "actually_paid": plain(row.actually_paid),
        "worth": Money(row.value, row.price_currency) if row.value else None,
        "excess": plain(row.owed_back) if row.owed_back else "",
        "acceptable": accept_by_hand.acceptable(row),
    }
