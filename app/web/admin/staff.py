"""Admins sign in by password, and out."""

from typing import Any

from litestar import Request, Response, get, post

from app.accounts import service as accounts
from app.accounts import sessions
from app.web.kernel import guards
from app.web.kernel.body import read_form
from app.web.kernel.rate_limits import bucket
from app.web.kernel.render import page, see_other
from app.web.kernel.viewer import SESSION_COOKIE, STRANGER, client_ip, forget, keep_session

Req = Request[Any, Any, Any]


@get("/admin/login", include_in_schema=False)
async def new(request: Req) -> Response[bytes]:
    return page(request, "admin/login.html", {"error": None, "email": ""})


@post("/admin/login", include_in_schema=False, status_code=200, opt=bucket("logins"))
async def create(request: Req) -> Response[bytes]:
    form = await read_form(request)
    email = form.get("email", "")[:320]
    try:
        session = await accounts.log_in(
            email, form.get("password", ""), user_agent=request.headers.get("user-agent", ""), ip=client_ip(request)
        )
    except accounts.WrongPassword as wrong:
        await guards.write_sample(request, "admin.login_failed", details=_tried(email), actor=STRANGER)
        context = {"error": f"{wrong.title}. {wrong.detail}", "email": email}
        return page(request, "admin/login.html", context, status=401)
    await guards.write(request, "admin.logged_in", actor=f"admin {session.email}")
    response = see_other("/admin")
    keep_session(response, session)
    return response


def _tried(email: str) -> str:
    """The address that was tried. What is none may be a password in the wrong field, and is not kept."""
    return f"as {email}" if "@" in email else ""


@post("/admin/logout", include_in_schema=False, status_code=200)
async def destroy(request: Req) -> Response[bytes]:
    """Sign out here and everywhere else."""
    session = request.state.viewer.session
    if session is not None and session.role == "admin":
        async with guards.recorded(request, "admin.logged_out"):
            await sessions.end_all(session.email, "admin")
    response = see_other("/admin/login")
    forget(response, SESSION_COOKIE)
    return response
