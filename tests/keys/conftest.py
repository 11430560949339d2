"""Stores as somebody who has got behind them sees them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Protocol
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from app.core.settings import settings
from app.providers.kit import Providers
from app.providers.storage_s3 import S3Store


class Behind(Protocol):
    """The store's back door: bytes are read and changed past every rule."""

    kit: Providers

    def read(self, name: str) -> bytes: ...
    def write(self, name: str, data: bytes) -> None: ...
    def remove(self, name: str) -> None: ...
    def names(self) -> set[str]: ...


class BehindFolder:
    def __init__(self, kit: Providers, folder: Path) -> None:
        self.kit, self._folder = kit, folder

    def read(self, name: str) -> bytes:
        return (self._folder / name).read_bytes()

    def write(self, name: str, data: bytes) -> None:
        (self._folder / name).write_bytes(data)

    def remove(self, name: str) -> None:
        (self._folder / name).unlink()

    def names(self) -> set[str]:
        return {str(path.relative_to(self._folder)) for path in self._folder.glob("keys/*/*")}


class BehindBucket:
    """``keeps_notes``: what is written keeps the checksum of what was there, as rot does; an intruder leaves none."""

    def __init__(self, kit: Providers, client: Any, bucket: str, *, keeps_notes: bool) -> None:
        self.kit, self._client, self._bucket, self._keeps = kit, client, bucket, keeps_notes

    def read(self, name: str) -> bytes:
        return bytes(self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read())

    def write(self, name: str, data: bytes) -> None:
        notes: dict[str, str] = {}
        with suppress(self._client.exceptions.ClientError):
            notes = self._client.head_object(Bucket=self._bucket, Key=name)["Metadata"]
        self._client.put_object(Bucket=self._bucket, Key=name, Body=data, Metadata=notes if self._keeps else {})

    def remove(self, name: str) -> None:
        self._client.delete_object(Bucket=self._bucket, Key=name)

    def names(self) -> set[str]:
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix="keys/")
        return {row["Key"] for row in listed.get("Contents", [])}


@pytest.fixture(scope="session")
def s3_url() -> Iterator[str]:
    """A real S3 server (moto's) over HTTP."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "bucket", "bucket that keeps its notes"])
async def behind(app: Any, request: pytest.FixtureRequest) -> AsyncIterator[Behind]:
    """Each store, with its back door and providers that use it."""
    kit: Providers = app.state.kit
    if request.param == "folder":
        yield BehindFolder(kit, settings().bitloot_var / "blobs")
        return
    url, bucket = request.getfixturevalue("s3_url"), f"b-{uuid4().hex}"
    client = boto3.client(
        "s3", endpoint_url=url, region_name="us-east-1", aws_access_key_id="id", aws_secret_access_key="secret"
    )
    client.create_bucket(Bucket=bucket)
    store = S3Store(url, "id", "secret", bucket)
    yield BehindBucket(replace(kit, store=store), client, bucket, keeps_notes="notes" in request.param)
    await store.aclose()
    client.close()


@pytest.fixture(autouse=True)
def fresh_blobs() -> Iterator[None]:
    """No blob of an earlier test is left in the store."""
    yield
    for path in sorted((settings().bitloot_var / "blobs").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() and not path.is_symlink() else path.unlink()
