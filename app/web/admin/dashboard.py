"""What needs a person, first; then how much there is of everything."""

from typing import Any

from litestar import Request, Response, get

from app.core import db
from app.core.i18n import _
from app.core.money import Money
from app.issues import queries as issues
from app.issues.codes import matter
from app.issues.models import Issue
from app.ledger import queries as ledger
from app.orders import queries as orders
from app.orders.models import Needing
from app.orders.service import short
from app.queue import breaker_queries as breakers
from app.queue import queries as jobs
from app.refunds import queries as refunds
from app.refunds.models import Refund
from app.suppliers.registry import TITLES
from app.web.admin.event_texts import reasons
from app.web.admin.issues import row as issue_row
from app.web.kernel.render import page

NAMES = {"nowpayments": "NOWPayments", "resend": "Resend", **TITLES}
NEEDING = "/admin/orders?needs=you"
OPEN = ("created", "waiting", "confirming", "paid")


@get("/admin", include_in_schema=False)
async def show(request: Request[Any, Any, Any]) -> Response[bytes]:
    dead = await jobs.page(status="failed", limit=20, offset=0)
    needing = await orders.needing()
    by_status, by_job = await orders.counts(), await jobs.counts()
    attention = (
        [_breaker(p, s) for p, s in (await breakers.all_standings()).items() if not s.closed]
        + [_order(one) for one in needing]
        + [{"title": j.name, "detail": j.error or "", "href": f"/admin/jobs/{j.id}", "at": j.ended_at} for j in dead]
        + [_refund(r) for r in await refunds.waiting()]
        + [_issue(issue) for issue in await issues.open_page(20, orders=False)]
    )
    waiting = await orders.count_needing()
    off = len(await ledger.marked())
    counts = [
        _count(_("Open orders"), sum(by_status.get(s, 0) for s in OPEN), "/admin/orders", ""),
        _count(_("Fulfilled"), by_status.get("fulfilled", 0), "/admin/orders?status=fulfilled", "good"),
        _count(_("Underpaid"), by_status.get("underpaid", 0), "/admin/orders?status=underpaid", "attention"),
        _count(_("Orders that need you"), min(waiting, orders.COUNTED), NEEDING, "attention")
        | ({"value": f"{orders.COUNTED}+"} if waiting > orders.COUNTED else {}),
        _count(_("Jobs waiting"), by_job.get("pending", 0), "/admin/jobs?status=pending", ""),
        _count(
            _("Refunds to approve"),
            sum(r.status == "pending" for r in await refunds.waiting(100)),
            "/admin/refunds?status=pending",
            "attention",
        ),
        _count(_("Ledgers that don’t balance"), off, "/admin/orders", "danger"),
        _count(_("Open issues"), await issues.count_open(), "/admin/issues", "attention"),
        _count(_("Dead letters"), by_job.get("failed", 0), "/admin/dead-letters", "danger"),
    ]
    more = f"{orders.COUNTED}+" if waiting > orders.COUNTED else str(waiting)
    context = {"counts": counts, "attention": attention, "needing": more if waiting > len(needing) else ""}
    return page(request, "admin/dashboard.html", context)


def _breaker(provider: str, standing: breakers.BreakerStatus) -> dict[str, object]:
    return {
        "title": _("%(provider)s can’t be reached", provider=NAMES.get(provider, provider)),
        "detail": _("%(why)s. We try again every half minute, and waiting work continues by itself.", why=standing.why),
        "href": "/health",
        "at": standing.opened_at,
    }


def _order(needing: Needing) -> dict[str, object]:
    matters = dict.fromkeys(_(matter(issue.code).title) for issue in needing.issues)
    return {
        "title": _("Order %(order)s: %(matters)s", order=short(needing.order_id), matters="; ".join(matters)),
        "detail": reasons(needing.issues),
        "href": f"/admin/orders/{needing.order_id}",
        "at": needing.issues[0].opened_at,
    }


def _refund(refund: Refund) -> dict[str, object]:
    return {
        "title": _("Refund of %(amount)s", amount=Money(refund.amount, refund.currency)),
        "detail": refund.error or _("Its address was checked: approve or reject it"),
        "href": f"/admin/refunds/{refund.id}",
        "at": refund.claimed_at or refund.created_at,
    }


def _issue(issue: Issue) -> dict[str, object]:
    row = issue_row(issue)
    return {"title": row.title, "detail": row.detail, "href": row.href or "/admin/issues", "at": row.opened_at}


def _count(label: str, value: int, href: str, tone: str) -> dict[str, object]:
    shown = f"{value}+" if value >= db.MOST_COUNTED else value
    return {"label": label, "value": shown, "href": href, "tone": tone if value else ""}
