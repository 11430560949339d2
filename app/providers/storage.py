"""Where sealed blobs lie. Here the local folder, for machines without an object store; ``storage_s3`` is R2."""

import hashlib
import hmac
import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from app.core import clock
from app.providers.errors import Observer, ProviderDown, ProviderError
from app.providers.object_store import (
    LINK_SECONDS,
    PROVIDER,
    ObjectConflict,
    ObjectMissing,
    ObjectStore,
    ThreadedStore,
    check_key,
    check_prefix,
    check_seconds,
    check_size,
)

__all__ = ["LINK_SECONDS", "LocalStore", "ObjectConflict", "ObjectMissing", "ObjectStore"]

UNFINISHED = ".unfinished"  # no key begins with a dot, so nothing stored can lie in there
UNFINISHED_SECONDS = 86_400  # what a crashed write left is swept after a day
NOTHING_THERE = (FileNotFoundError, IsADirectoryError, NotADirectoryError)  # a key may be another's folder


class LocalStore(ThreadedStore):
    """Objects as files under ``folder``; see ``ObjectStore`` for what is promised.

    ``secret`` (not empty) signs the links, ``base_url`` is ours: the door ``/blobs/{key}`` below it asks
    ``verify_link`` and then hands ``get`` out. ``now`` gives the time, aware.
    """

    def __init__(
        self,
        folder: Path,
        secret: str,
        base_url: str,
        *,
        now: Callable[[], datetime] = clock.now,
        observer: Observer | None = None,
    ) -> None:
        if not secret:
            raise ValueError("links need a secret to be signed with")
        super().__init__(observer)
        self._folder, self._base, self._now = folder, base_url.rstrip("/"), now
        # A key of its own, so that no text signed elsewhere with the same secret can pass for a link.
        self._key = hmac.new(secret.encode(), b"bitloot blob links", hashlib.sha256).digest()

    def __repr__(self) -> str:
        return f"<LocalStore in {self._folder}>"

    async def put(self, key: str, data: bytes) -> None:
        path = self._path(key)
        check_size(data)
        await self.run("put", lambda: self._write(path, data))

    async def get(self, key: str) -> bytes:
        return await self.run("get", self._path(key).read_bytes)

    async def delete(self, key: str) -> None:
        path = self._path(key)
        await self.run("delete", lambda: _remove(path))

    async def exists(self, key: str) -> bool:
        return await self.run("exists", self._path(key).is_file)

    async def link(self, key: str, *, filename: str, seconds: int = LINK_SECONDS) -> str:
        """As promised; ``filename`` is for the door to give, since it is no part of this URL."""
        expires = int(self._now().timestamp()) + check_seconds(seconds)
        signature = self._sign(check_key(key), str(expires))
        return f"{self._base}/blobs/{key}?expires={expires}&signature={signature}"

    def verify_link(self, key: str, expires: str, signature: str, now: datetime) -> bool:
        """Whether ``link`` made this and it has not expired at ``now`` (aware). Any text may be given."""
        genuine = self._sign(key, expires).encode()
        if not hmac.compare_digest(genuine, signature.encode("utf-8", "surrogatepass")):
            return False
        return now.timestamp() < int(expires)

    async def expire(self, prefix: str, older_than: datetime) -> int:
        check_prefix(prefix)
        return await self.run("expire", lambda: self._sweep(prefix, older_than.timestamp()))

    async def health(self) -> None:
        await self.run("health", self._probe)

    async def aclose(self) -> None:
        return None

    def explain(self, call: str, error: Exception) -> ProviderError | None:
        if call == "get" and isinstance(error, NOTHING_THERE):
            return ObjectMissing(PROVIDER, call, "no such object")
        if isinstance(error, OSError):
            return ProviderDown(PROVIDER, call, os.strerror(error.errno or 0), may_have_happened=call == "put")
        return None

    def _path(self, key: str) -> Path:
        return self._folder / check_key(key)

    def _sign(self, key: str, expires: str) -> str:
        text = f"{len(key)}:{key}:{expires}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, text, hashlib.sha256).hexdigest()

    def _write(self, path: Path, data: bytes) -> None:
        """A link to a finished file appears whole or not at all, and unlike a rename replaces nothing."""
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        unfinished = self._unfinished(data)
        try:
            os.link(unfinished, path)
        except FileExistsError:
            if not path.is_file() or path.read_bytes() != data:
                raise ObjectConflict(PROVIDER, "put", "another object has that key") from None
        finally:
            unfinished.unlink()
        _sync(path.parent)

    def _unfinished(self, data: bytes) -> Path:
        folder = self._folder / UNFINISHED
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        path = folder / uuid4().hex
        with path.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        return path

    def _sweep(self, prefix: str, before: float) -> int:
        gone = 0
        for path in self._files():
            if path.relative_to(self._folder).as_posix().startswith(prefix) and _older(path, before):
                path.unlink(missing_ok=True)
                gone += 1
        for path in (self._folder / UNFINISHED).glob("*"):
            if _older(path, datetime.now(UTC).timestamp() - UNFINISHED_SECONDS):
                path.unlink(missing_ok=True)
        return gone

    def _files(self) -> Iterator[Path]:
        for folder, below, files in os.walk(self._folder):
            if UNFINISHED in below:
                below.remove(UNFINISHED)
            yield from (Path(folder) / name for name in files)

    def _probe(self) -> None:
        self._unfinished(b"probe").unlink()


def _remove(path: Path) -> None:
    with suppress(*NOTHING_THERE):
        path.unlink()


def _older(path: Path, before: float) -> bool:
    with suppress(FileNotFoundError):
        return path.stat().st_mtime < before
    return False


def _sync(folder: Path) -> None:
    """Make the new name itself durable (fsync of a file does not cover its directory entry)."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
