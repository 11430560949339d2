"""What rows and views, all of them frozen Structs, share."""

from typing import Any, TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def extend(model: type[T], row: msgspec.Struct, **more: Any) -> T:
    """``row`` as ``model``, a Struct with the same fields and ``more``, which may replace some.

    Raises TypeError where one is missing.
    """
    return model(**{name: getattr(row, name) for name in row.__struct_fields__} | more)
