"""How the sandbox reads requests and answers them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from litestar import MediaType, Request, Response

from dev.sandbox import jstext

Call: TypeAlias = Request[Any, Any, Any]
Answer: TypeAlias = Response[bytes]
Fields: TypeAlias = dict[str, object]


class Refusal(Exception):
    """A provider says no, in its own words: each provider's subclass renders its own body."""

    def __init__(self, status: int, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})

    def body(self, path: str, method: str) -> Mapping[str, object]:
        """The JSON body of this refusal of a call to `path` by `method`."""
        raise NotImplementedError


class Malformed(ValueError):
    """A request's body is not the JSON asked for; the text says how."""


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Answer:
    """A JSON answer in JavaScript's spelling."""
    return Response(jstext.dumps(value), status_code=status, media_type=MediaType.JSON, headers=dict(headers or {}))


async def read_json(call: Call) -> object:
    """The body as JSON with Decimal numbers.

    Raises:
        Malformed: it is not JSON.
    """
    try:
        return jstext.loads(await call.body())
    except ValueError as error:
        raise Malformed(f"body is not valid JSON: {error}") from None


async def read_object(call: Call) -> Fields:
    """The body as one JSON object; an empty body is an empty object.

    Raises:
        Malformed: it is not a JSON object.
    """
    if not await call.body():
        return {}
    value = await read_json(call)
    if not isinstance(value, dict):
        raise Malformed("body must be a JSON object")
    return value
