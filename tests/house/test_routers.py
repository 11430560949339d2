"""A surface of the web is one router: it lists its handlers and declares their guards, and no handler asks by hand."""

import ast
from collections.abc import Iterator

import pytest
from litestar import Litestar, Router
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from app.main import create_app
from app.web.account import devices
from app.web.kernel import guards
from app.web.merchant import context
from tests.conftest import ROOT
from tests.house.source import calls, imported, modules

WEB = ROOT / "app" / "web"
SURFACES = sorted(folder.name for folder in WEB.iterdir() if folder.is_dir() and folder.name[0] != "_")
SURFACES.remove("kernel")
# Who is not signed in yet, and who holds an invitation's link.
OPEN = {"/admin/login", "/admin/logout", "/merchant/invitations/{token:str}"}
GUARDED = {
    "app.web.admin": guards.admin_only,
    "app.web.merchant": context.members_only,
    "app.web.account.devices": devices.signed_in_only,
}
VERBS = {"get", "post", "put", "patch", "delete", "route"}


def handlers() -> Iterator[tuple[str, HTTPRouteHandler]]:
    """Each path of the app with a handler of it; the framework's own answers to OPTIONS are left out."""
    for route in create_app().routes:
        for handler in route.route_handlers if isinstance(route, HTTPRoute) else ():
            if handler.http_methods != {"OPTIONS"}:
                yield route.path, handler


def by_routers(handler: HTTPRouteHandler) -> list[object]:
    """The guards that a handler has from its routers: neither its own nor the whole app's."""
    layers = (layer for layer in handler.ownership_layers if isinstance(layer, Router))
    return [guard for layer in layers if not isinstance(layer, Litestar) for guard in layer.guards]


@pytest.mark.parametrize("part", GUARDED)
def test_every_page_of_staff_merchants_and_the_signed_in_has_its_guard_from_a_router(part: str) -> None:
    found = [(path, handler) for path, handler in handlers() if f"{handler.fn.__module__}.".startswith(f"{part}.")]
    assert len(found) >= 3
    assert {path for path, handler in found if GUARDED[part] not in by_routers(handler)} <= OPEN


def test_no_other_surface_has_a_page_below_theirs() -> None:
    for path, handler in handlers():
        surface = path.split("/")[1]
        if surface in {"admin", "merchant"}:
            assert handler.fn.__module__.startswith(f"app.web.{surface}."), path


def test_a_merchants_form_counts_in_the_context_of_its_page() -> None:
    found = [(path, handler) for path, handler in handlers() if path.startswith("/merchant")]
    forms = [(path, handler) for path, handler in found if "POST" in handler.http_methods]
    loose = {path for path, handler in forms if context.context_unchanged not in by_routers(handler)}
    assert loose <= OPEN
    assert {path for path, handler in forms if handler.opt.get("any_context")} == {"/merchant/choices"}


def test_every_route_that_names_an_order_is_guarded_by_its_router() -> None:
    either = {guards.may_see_order, guards.may_change_order}
    named = [(path, h) for path, h in handlers() if path.startswith(("/orders/{order_id", "/fulfillment/{order_id"))]
    assert len(named) > 12
    assert {path for path, handler in named if not either & set(by_routers(handler))} == set()
    reading = {path for path, h in named if guards.may_see_order in by_routers(h) and "POST" in h.http_methods}
    assert reading == {"/fulfillment/{order_id:str}/reveal"}, "it writes down itself what staff does"


def is_guard(node: ast.AST) -> bool:
    """A function that Litestar may call as one: of a connection and its handler, and returning nothing."""
    if not isinstance(node, ast.AsyncFunctionDef) or len(node.args.args) != 2:
        return False
    noted = node.args.args[1].annotation
    return isinstance(noted, ast.Name) and noted.id == "BaseRouteHandler"


def name_of(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def test_no_handler_calls_a_guard() -> None:
    named = {node.name for _, tree in modules("app/web") for node in ast.walk(tree) if is_guard(node)}
    assert {"admin_only", "members_only", "context_unchanged", "may_see_order", "by_key"} <= named
    surfaces = [f"app/web/{surface}" for surface in SURFACES]
    called = {(name, name_of(call)) for name, tree in modules(*surfaces) for call in calls(tree)}
    assert {(name, guard) for name, guard in called if guard in named} == set()
    # An order is looked for by hand where a body or a job names it, and a use counted by hand by what a body says.
    assert {name for name, what in called if what in {"own_order", "acting_for"}} == {"app/web/store/payments.py"}
    assert {name for name, what in called if what == "spend"} == {
        "app/web/account/sessions.py",
        "app/web/merchant/context.py",
    }


def test_the_application_mounts_one_router_a_surface_and_lists_no_handler() -> None:
    tree = dict(modules("app/main.py"))["app/main.py"]
    of_web = {name for name in imported(tree) if name.startswith("app.web.") and ".kernel" not in name}
    assert of_web == {f"app.web.{surface}.router" for surface in SURFACES}


@pytest.mark.parametrize("surface", SURFACES)
def test_every_handler_of_a_surface_is_mounted(surface: str) -> None:
    written = {
        f"{name.removesuffix('.py').replace('/', '.')}.{node.name}"
        for name, tree in modules(f"app/web/{surface}")
        for node in tree.body
        if isinstance(node, ast.AsyncFunctionDef)
        and any(isinstance(mark, ast.Call) and name_of(mark) in VERBS for mark in node.decorator_list)
    }
    assert written
    assert written <= {f"{handler.fn.__module__}.{handler.fn.__name__}" for _, handler in handlers()}


def test_no_module_lies_loose_on_top_of_the_surfaces() -> None:
    assert [path.name for path in WEB.glob("*.py")] == ["__init__.py"]
