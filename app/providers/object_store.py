"""What every object store promises, whichever it is (``storage``, ``storage_s3``).

Keys are written once: a ``put`` never replaces anything. Nothing here ever sees plaintext.
"""

import asyncio
import re
import time
from collections.abc import Callable
from datetime import datetime
from typing import Protocol, TypeVar

from app.providers.errors import Observer, ProviderError, ProviderRefused, report

PROVIDER = "storage"
LINK_SECONDS = 900  # a download link lives 15 minutes, says the design
MAX_LINK_SECONDS = 604_800  # the longest R2 allows (r2.md section 3); boto3 itself does not check
MAX_OBJECT_BYTES = 16 * 1024 * 1024  # an image key has some 100 kB

# Segments begin with a letter or digit, so neither "..", nor hidden files, nor absolute paths can be spelt.
_KEY = re.compile(r"(?=.{1,512}\Z)[A-Za-z0-9][A-Za-z0-9._=-]*(?:/[A-Za-z0-9][A-Za-z0-9._=-]*)*")
_PREFIX = re.compile(r"(?=.{0,512}\Z)(?:[A-Za-z0-9][A-Za-z0-9._=-]*/?)*")

T = TypeVar("T")


class ObjectMissing(ProviderRefused):
    """Nothing is stored under that key."""


class ObjectConflict(ProviderRefused):
    """Something else is stored under that key already; it was left as it is."""


class ObjectStore(Protocol):
    """Blobs by key. Keys are 1 to 512 of ``A-Za-z0-9._=-`` in segments split by ``/``; others raise ValueError.

    Every call raises ProviderDown when a later try may work, ProviderRefused when not.
    """

    async def put(self, key: str, data: bytes) -> None:
        """Store durably. Again with the same bytes changes nothing; with others raises ObjectConflict."""

    async def get(self, key: str) -> bytes:
        """The bytes stored. Raises ObjectMissing, or ProviderProtocolError where they are not what was put."""

    async def delete(self, key: str) -> None:
        """Gone afterwards, whether or not it was there."""

    async def exists(self, key: str) -> bool:
        """Whether something is stored under the key."""

    async def link(self, key: str, *, filename: str, seconds: int = LINK_SECONDS) -> str:
        """A URL that hands the bytes to whoever holds it, for 1 to 604800 seconds. A secret: log it nowhere."""

    async def expire(self, prefix: str, older_than: datetime) -> int:
        """Delete what begins with ``prefix`` and was stored before ``older_than`` (aware); how many that was."""

    async def health(self) -> None:
        """Returns if the store works; raises ProviderError otherwise."""

    async def aclose(self) -> None:
        """Let go of connections."""


class ThreadedStore:
    """Runs a store's blocking calls in threads, with one log line and one observation each."""

    def __init__(self, observer: Observer | None) -> None:
        self._observer = observer

    async def run(self, call: str, work: Callable[[], T]) -> T:
        began, outcome, status = time.perf_counter(), "broken", None
        try:
            result = await asyncio.to_thread(self._named, call, work)
            outcome = "ok"
        except ProviderError as error:
            outcome, status = error.outcome, error.status
            raise
        finally:
            report(self._observer, PROVIDER, call, outcome, time.perf_counter() - began, status=status)
        return result

    def explain(self, call: str, error: Exception) -> ProviderError | None:
        """The failure that ``error`` means, or None where it is a fault of ours."""
        raise NotImplementedError

    def _named(self, call: str, work: Callable[[], T]) -> T:
        try:
            return work()
        except ProviderError:
            raise
        except Exception as error:
            named = self.explain(call, error)
            if named is None:
                raise
            raise named from None


def check_key(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise ValueError("not a storage key")
    return key


def check_prefix(prefix: str) -> str:
    if not _PREFIX.fullmatch(prefix):
        raise ValueError("not a storage prefix")
    return prefix


def check_size(data: bytes) -> bytes:
    if len(data) > MAX_OBJECT_BYTES:
        raise ValueError(f"an object has at most {MAX_OBJECT_BYTES} bytes")
    return data


def check_seconds(seconds: int) -> int:
    if not 1 <= seconds <= MAX_LINK_SECONDS:
        raise ValueError(f"a link lives 1 to {MAX_LINK_SECONDS} seconds")
    return seconds
