"""Merchants, for admins: founding one, inviting its people, closing it."""

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath
from msgspec.structs import asdict

from app.accounts import addresses
from app.core.errors import Problem
from app.core.ids import parse_id
from app.core.structs import extend
from app.merchants import members, queries, service
from app.merchants.models import Merchant
from app.web.admin import tabs
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.render import answer, page, see_other, wants_json
from app.web.kernel.viewer import client_ip

Req = Request[Any, Any, Any]


@get("/admin/merchants", include_in_schema=False)
async def index(request: Req) -> Response[bytes]:
    return await _list(request, {"name": "", "email": ""})


class ListedMerchant(Merchant, frozen=True):
    """A merchant as a line of the list, with how many people it has."""

    people: int


async def _list(request: Req, values: dict[str, str], error: Problem | None = None) -> Response[bytes]:
    at = tabs.number(request)
    merchants = await queries.page(limit=tabs.PAGE, offset=(at - 1) * tabs.PAGE)
    if wants_json(request):
        return answer({"items": merchants})
    sizes = await members.sizes([merchant.id for merchant in merchants])
    context = {
        "merchants": [extend(ListedMerchant, merchant, people=sizes.get(merchant.id, 0)) for merchant in merchants],
        "links": tabs.links("/admin/merchants", at, len(merchants)),
        "values": values,
        "errors": {error.field or "name": error.detail} if error else {},
    }
    return page(request, "admin/merchants/index.html", context, status=error.status if error else 200)


@post("/admin/merchants", include_in_schema=False, status_code=200)
async def create(request: Req) -> Response[bytes]:
    """Found a merchant and invite its first person, in one transaction."""
    form = await read_form(request)
    values = {"name": form.get("name", "")[:200], "email": form.get("email", "")[:400]}
    try:
        email = addresses.parse(values["email"])
        async with guards.recorded(request, "member.invited", details=f"{values['name']}: {email}"):
            merchant_id = await service.create_merchant(values["name"], by=_who(request), ip=client_ip(request))
            await members.invite(merchant_id, email, _host(request))
    except (addresses.BadEmail, service.BadMerchant) as error:
        if wants_json(request):
            raise
        return await _list(request, values, error)
    if wants_json(request):
        return answer({"merchantId": merchant_id}, status=201)
    return see_other(f"/admin/merchants/{merchant_id}")


@get("/admin/merchants/{merchant_id:str}", include_in_schema=False)
async def show(request: Req, merchant_id: FromPath[str]) -> Response[bytes]:
    return await _one(request, await _find(merchant_id))


async def _one(request: Req, merchant: Merchant, email: str = "", error: Problem | None = None) -> Response[bytes]:
    people = await members.of(merchant.id)
    if wants_json(request):
        return answer({**asdict(merchant), "people": [{"email": p.email, "joinedAt": p.joined_at} for p in people]})
    context = {"merchant": merchant, "people": people, "email": email, "error": error.detail if error else ""}
    return page(request, "admin/merchants/show.html", context, status=error.status if error else 200)


async def _find(merchant_id: str) -> Merchant:
    found = parse_id(merchant_id)
    merchant = await queries.one(found) if found else None
    if merchant is None:
        raise service.NoSuchMerchant("Choose one from the list of merchants.")
    return merchant


@post("/admin/merchants/{merchant_id:str}/invitations", include_in_schema=False, status_code=200)
async def invite(request: Req, merchant_id: FromPath[str]) -> Response[bytes]:
    merchant, form = await _find(merchant_id), await read_form(request)
    typed = form.get("email", "")[:400]
    try:
        email = addresses.parse(typed)
        async with guards.recorded(request, "member.invited", details=f"{merchant.name}: {email}"):
            await members.invite(merchant.id, email, _host(request))
    except (addresses.BadEmail, members.AlreadyInTeam, members.TeamFull) as error:
        if wants_json(request):
            raise
        return await _one(request, merchant, typed, error)
    return see_other(f"/admin/merchants/{merchant.id}")


@post("/admin/merchants/{merchant_id:str}/people/{member_id:str}/removals", include_in_schema=False, status_code=200)
async def remove(request: Req, merchant_id: FromPath[str], member_id: FromPath[str]) -> Response[bytes]:
    """Take a person out, also the last one: an admin can invite another."""
    merchant, found = await _find(merchant_id), parse_id(member_id)
    if found is None:
        raise members.NoSuchMember("Choose somebody from the list.")
    leaving = next((p.email for p in await members.of(merchant.id) if p.id == found), "")
    async with guards.recorded(request, "member.removed", details=f"{merchant.name}: {leaving}"):
        await members.remove(merchant.id, found, to_the_last=True)
    return see_other(f"/admin/merchants/{merchant.id}")


@post("/admin/merchants/{merchant_id:str}/closings", include_in_schema=False, status_code=200)
async def close(request: Req, merchant_id: FromPath[str]) -> Response[bytes]:
    """End all its keys and shut its pages; what it has under way goes on."""
    merchant = await _find(merchant_id)
    await service.close(merchant.id, by=_who(request), ip=client_ip(request))
    return see_other(f"/admin/merchants/{merchant.id}")


def _who(request: Req) -> str:
    return f"admin {request.state.viewer.email}"


def _host(request: Req) -> str:
    """Who invites, in the letter."""
    return str(request.state.viewer.email)
