"""What a route declares for its OpenAPI document where its signature can't: it answers with a page or with JSON, and
takes a form or JSON."""

import msgspec
from litestar.handlers import BaseRouteHandler
from litestar.openapi.datastructures import ResponseSpec

_BODY = "json_body"


def json_answer(shape: type[msgspec.Struct], status: int = 200) -> dict[int, ResponseSpec]:
    """The ``responses`` of a handler whose JSON answer, with this status, is ``shape``."""
    return {status: ResponseSpec(shape, generate_examples=False, description="Done")}


def json_body(shape: type[msgspec.Struct]) -> dict[str, type[msgspec.Struct]]:
    """The ``opt`` of a handler whose JSON body is ``shape``."""
    return {_BODY: shape}


def body_of(handler: BaseRouteHandler) -> type[msgspec.Struct] | None:
    """What a handler said that it takes."""
    found: type[msgspec.Struct] | None = handler.opt.get(_BODY)
    return found
