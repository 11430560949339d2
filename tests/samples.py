"""Rows as queries return them, made without a database: what a test says of a row, and harmless values beside it."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar
from uuid import UUID

import msgspec
from msgspec import inspect

T = TypeVar("T", bound=msgspec.Struct)
PLAIN: dict[type[inspect.Type], Any] = {
    inspect.NoneType: None,
    inspect.StrType: "",
    inspect.IntType: 0,
    inspect.BoolType: False,
    inspect.BytesType: b"",
    inspect.DecimalType: Decimal(0),
    inspect.UUIDType: UUID(int=1),
    inspect.DateTimeType: datetime(2026, 1, 1, tzinfo=UTC),
    inspect.DictType: {},
    inspect.ListType: [],
}


def sample(model: type[T], **given: Any) -> T:
    """A row with these values; of the others, what can be None is None, and the rest is empty or zero."""
    fields = inspect.type_info(model).fields  # type: ignore[attr-defined]
    return msgspec.convert({field.name: _plain(field.type) for field in fields} | given, model)


def _plain(kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.UnionType):
        return None if kind.includes_none else _plain(kind.types[0])
    if isinstance(kind, inspect.EnumType):
        return next(iter(kind.cls))
    return PLAIN[type(kind)]
