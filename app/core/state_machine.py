"""State moves. A room lists its moves in a table; this is the only code that carries them out."""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any, Generic, TypeVar
from uuid import UUID

from piccolo.table import Table

from app.core import db

S = TypeVar("S", bound=StrEnum)


class Moves(Generic[S]):
    """A table of allowed moves, ``{from: (to, …)}``. What is not in it does not happen."""

    def __init__(self, table: Mapping[S, Iterable[S]]) -> None:
        self._sources: dict[S, list[S]] = {}
        for source, targets in table.items():
            for target in targets:
                self._sources.setdefault(target, []).append(source)

    def allows(self, source: S, target: S) -> bool:
        return source in self._sources.get(target, ())

    def sources(self, target: S) -> list[S]:
        """Every state from which ``target`` may be reached in one move; empty for initial states."""
        return list(self._sources.get(target, ()))


async def move(
    table: type[Table],
    row_id: UUID,
    to: S,
    moves: Moves[S],
    *,
    column: str = "status",
    also: Mapping[Any, Any] | None = None,
) -> dict[str, object] | None:
    """Move one row to ``to`` by a guarded UPDATE, setting the columns in ``also`` with it.

    Returns the new row as a dict, or None when the row was not in a state that leads to ``to``: somebody was
    first, which is not an error.
    """
    sources = [s.value for s in moves.sources(to)]
    if not sources:
        return None  # an initial state: nothing leads back to it
    changes = {name if isinstance(name, str) else name._meta.name: value for name, value in (also or {}).items()}
    sets = "".join(f', "{name}" = ${number}' for number, name in enumerate(changes, 4))
    row = await db.fetch_one(
        f'UPDATE {table._meta.tablename} SET "{column}" = $2{sets} '  # noqa: S608 - names of our own tables
        f'WHERE id = $1 AND "{column}" = ANY($3) RETURNING *',
        row_id, to.value, sources, *changes.values(),
    )  # fmt: skip
    return dict(row) if row else None
