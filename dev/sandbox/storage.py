"""The sandbox's memory: dicts, written through to one SQLite file as JSON documents.

A write is in the file's log before the call returns, so a killed process loses nothing. It isn't fsynced: a
power cut may lose the last seconds, which a sandbox can afford.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from dev.sandbox.records import (
    Batch,
    Fault,
    Invoice,
    Mail,
    Notice,
    OfferOverrides,
    Order,
    Payment,
    Record,
    Replay,
    Settings,
)

R = TypeVar("R", bound=Record)

NOTICES_KEPT = 5_000  # the log of a long benchmark must not become the sandbox's memory use

_SCHEMA = """
CREATE TABLE IF NOT EXISTS documents (
    place INTEGER PRIMARY KEY, shelf TEXT NOT NULL, id TEXT NOT NULL, document BLOB NOT NULL, UNIQUE (shelf, id)
)"""
_PUT = """
INSERT INTO documents (shelf, id, document) VALUES (?, ?, ?)
ON CONFLICT (shelf, id) DO UPDATE SET document = excluded.document"""


class Collection(Generic[R]):
    """All documents of one kind, oldest first. `keep` drops the oldest beyond that number."""

    def __init__(self, file: sqlite3.Connection, name: str, kind: type[R], keep: int | None = None) -> None:
        self._file, self._name, self._keep = file, name, keep
        self._encode = msgspec.json.Encoder().encode
        decoder = msgspec.json.Decoder(kind)
        found = file.execute("SELECT id, document FROM documents WHERE shelf = ? ORDER BY place", (name,))
        self._records: dict[str, R] = {key: decoder.decode(document) for key, document in found}

    def __len__(self) -> int:
        return len(self._records)

    def __iter__(self) -> Iterator[R]:
        return iter(self._records.values())

    def __contains__(self, key: str) -> bool:
        return key in self._records

    def get(self, key: str) -> R | None:
        """The document under this key, if there is one."""
        return self._records.get(key)

    def newest(self) -> Iterator[R]:
        """All documents, the latest first."""
        return reversed(self._records.values())

    def put(self, record: R) -> R:
        """Keep a new or changed document; returns it."""
        self._records[record.id] = record
        self._file.execute(_PUT, (self._name, record.id, self._encode(record)))
        if self._keep is not None and len(self._records) > self._keep:
            self.drop(next(iter(self._records)))
        return record

    def drop(self, key: str) -> None:
        """Forget one document, if it is there."""
        if self._records.pop(key, None) is not None:
            self._file.execute("DELETE FROM documents WHERE shelf = ? AND id = ?", (self._name, key))

    def clear(self) -> None:
        """Forget all documents of this kind."""
        self._records.clear()
        self._file.execute("DELETE FROM documents WHERE shelf = ?", (self._name,))


class Orders(Collection[Order]):
    """Kinguin's orders, also found by the buyer's own id, which may be doubled."""

    def __init__(self, file: sqlite3.Connection) -> None:
        super().__init__(file, "orders", Order)
        self._by_external: dict[str, list[str]] = {}
        for order in self:
            self._index(order)

    def put(self, record: Order) -> Order:
        """Keep a new or changed order; returns it."""
        if record.id not in self:
            self._index(record)
        return super().put(record)

    def clear(self) -> None:
        """Forget all orders."""
        super().clear()
        self._by_external.clear()

    def by_external(self, external_id: str) -> list[Order]:
        """The orders with this `orderExternalId`, oldest first."""
        return [self._records[key] for key in self._by_external.get(external_id, [])]

    def _index(self, order: Order) -> None:
        if order.external_id is not None:
            self._by_external.setdefault(order.external_id, []).append(order.id)


class Storage:
    """Every collection of the sandbox, and the settings of the panel."""

    def __init__(self, path: Path, mails_kept: int = 2_000) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._file.execute("PRAGMA journal_mode = WAL")
        self._file.execute("PRAGMA synchronous = OFF")
        self._file.execute(_SCHEMA)
        self.invoices = Collection(self._file, "invoices", Invoice)
        self.payments = Collection(self._file, "payments", Payment)
        self.batches = Collection(self._file, "batches", Batch)
        self.orders = Orders(self._file)
        self.overrides = Collection(self._file, "shelvings", OfferOverrides)
        self.mails = Collection(self._file, "mails", Mail, mails_kept)
        self.replays = Collection(self._file, "replays", Replay, 2 * mails_kept)
        self.notices = Collection(self._file, "notices", Notice, NOTICES_KEPT)
        self.faults = Collection(self._file, "faults", Fault)
        self._settings = Collection(self._file, "settings", Settings)

    @property
    def settings(self) -> Settings:
        """The settings in force; call `save_settings` after a change."""
        return self._settings.get("settings") or self._settings.put(Settings())

    def save_settings(self) -> None:
        """Write down the settings in force."""
        self._settings.put(self.settings)

    def clear(self) -> None:
        """Back to the first day: nothing bought, nothing sent, default settings."""
        for shelf in self._shelves():
            shelf.clear()

    def close(self) -> None:
        """Close the file; the storage can't be used after."""
        self._file.close()

    def _shelves(self) -> tuple[Collection[Record], ...]:
        shelves = [member for member in vars(self).values() if isinstance(member, Collection)]
        return tuple(shelves)
