"""What a route of the API declares beside its signature: one place for the guard, the readers and the description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from litestar import Request
from litestar.handlers import BaseRouteHandler

from app.core.errors import Problem

Req = Request[Any, Any, Any]
PAGED = ("after", "limit")
_OPT = "declared"


@dataclass(frozen=True, slots=True)
class Declared:
    """``scope``: what its key must be allowed. ``body``: the Struct that is read of the request, if any; ``needed``:
    one has to be sent though each of its members may be left out.

    ``query``: the parameters it takes; ``words``: those that take one of a list; ``parameters``: those that mean
    something else here than elsewhere, by meaning and schema. ``refusals``: of its own, beside those that each route of
    its method has. ``bodies``: examples of requests by what they show. ``answer``: an example, where the usual one of
    the answer's type does not fit.
    """

    scope: str
    body: Any = None
    needed: bool = False
    query: Sequence[str] = ()
    words: Mapping[str, Sequence[str]] = field(default_factory=dict)
    parameters: Mapping[str, tuple[str, dict[str, object]]] = field(default_factory=dict)
    refusals: Sequence[type[Problem]] = ()
    bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    answer: msgspec.Struct | None = None


def needs(scope: str, **more: Any) -> dict[str, Declared]:
    """The ``opt`` of a handler: see Declared."""
    return {_OPT: Declared(scope, **more)}


def of(handler: BaseRouteHandler) -> Declared:
    """What a handler declared. A route of the API that declares nothing is no route: KeyError."""
    found: Declared = handler.opt[_OPT]
    return found


def of_request(request: Req) -> Declared:
    return of(request.route_handler)
