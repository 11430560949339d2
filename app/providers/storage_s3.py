"""Blobs in Cloudflare R2, or any S3, through boto3 (sheet ``r2.md``).

The only module that imports boto3, which costs some 40 MB: whoever stores locally need not load it.
"""

import hashlib
import re
import threading
from base64 import b64encode
from datetime import datetime
from functools import cache
from typing import Any
from uuid import uuid4

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from app.providers.errors import (
    ApiKeyRejected,
    Observer,
    ProviderDown,
    ProviderError,
    ProviderProtocolError,
    ProviderRefused,
)
from app.providers.object_store import (
    LINK_SECONDS,
    MAX_OBJECT_BYTES,
    PROVIDER,
    ObjectConflict,
    ObjectMissing,
    ThreadedStore,
    check_key,
    check_prefix,
    check_seconds,
    check_size,
)

CONNECT_SECONDS = 3
READ_SECONDS = 10
ATTEMPTS = 3

MAKING = threading.Lock()  # making a client is the one thing in boto3 that is not thread-safe

WRITES = frozenset({"put", "delete", "expire"})
OUR_FAULT = frozenset({401, 403})
LATER = frozenset({408, 409, 429})  # 409: two conditional writes of one key at once


class S3Store(ThreadedStore):
    """One bucket; see ``ObjectStore`` for what is promised. ``endpoint`` has scheme and host, no bucket."""

    def __init__(
        self,
        endpoint: str,
        access_key_id: str,
        secret_access_key: str,
        bucket: str,
        *,
        observer: Observer | None = None,
        attempts: int = ATTEMPTS,
    ) -> None:
        super().__init__(observer)
        self._endpoint, self._bucket = endpoint, bucket
        self._credentials = (access_key_id, secret_access_key)
        self._config = CONFIG.merge(Config(retries={"mode": "standard", "total_max_attempts": attempts}))
        self._made: Any = None

    def __repr__(self) -> str:
        return f"<S3Store of {self._bucket} at {self._endpoint}>"

    async def put(self, key: str, data: bytes) -> None:
        check_key(key)
        check_size(data)
        await self.run("put", lambda: self._put(key, data))

    async def get(self, key: str) -> bytes:
        check_key(key)
        return await self.run("get", lambda: self._get(key))

    async def delete(self, key: str) -> None:
        check_key(key)
        await self.run("delete", lambda: self._client().delete_object(Bucket=self._bucket, Key=key))

    async def exists(self, key: str) -> bool:
        check_key(key)
        return await self.run("exists", lambda: self._exists(key))

    async def link(self, key: str, *, filename: str, seconds: int = LINK_SECONDS) -> str:
        check_key(key)
        check_seconds(seconds)
        return await self.run("link", lambda: self._link(key, filename, seconds))

    async def expire(self, prefix: str, older_than: datetime) -> int:
        check_prefix(prefix)
        return await self.run("expire", lambda: self._expire(prefix, older_than))

    async def health(self) -> None:
        await self.run("health", self._probe)

    async def aclose(self) -> None:
        with MAKING:
            made, self._made = self._made, None
        if made is not None:
            made.close()

    def explain(self, call: str, error: Exception) -> ProviderError | None:
        """By HTTP status plus code, because R2 has names that AWS lacks (section 6)."""
        if isinstance(error, ClientError):
            return self._refusal(call, error)
        if isinstance(error, BotoCoreError):
            happened = call in WRITES and not isinstance(error, EndpointConnectionError | ConnectTimeoutError)
            return ProviderDown(PROVIDER, call, type(error).__name__, may_have_happened=happened)
        return None

    def _refusal(self, call: str, error: ClientError) -> ProviderError:
        status, code = _status(error), _code(error)
        kind: type[ProviderError] = ProviderRefused
        if (status >= 500 and status != 501) or status in LATER or code == "ClientDisconnect":
            kind = ProviderDown
        elif status in OUR_FAULT and code != "ObjectLockedByBucketPolicy":
            kind = ApiKeyRejected
        elif status == 404 and code != "NoSuchBucket":
            kind = ObjectMissing
        happened = call in WRITES and status >= 500 and kind is ProviderDown
        # The message is left out: some quote the signed request.
        return kind(PROVIDER, call, "the store refused", status=status, code=code, may_have_happened=happened)

    def _client(self) -> Any:
        with MAKING:
            if self._made is None:
                ident, secret = self._credentials
                self._made = _session().client(
                    "s3",
                    endpoint_url=self._endpoint,
                    config=self._config,
                    aws_access_key_id=ident,
                    aws_secret_access_key=secret,
                )
            return self._made

    def _probe(self) -> None:
        """Store, read and delete an object: a key that may only read answers every question well."""
        key, data = f"health/{uuid4().hex}", b"a probe"
        self._put(key, data)
        self._get(key)
        self._client().delete_object(Bucket=self._bucket, Key=key)

    def _put(self, key: str, data: bytes) -> None:
        digest = hashlib.sha256(data)
        try:
            self._client().put_object(
                Bucket=self._bucket,
                Key=key,
                Body=data,
                ContentType="application/octet-stream",
                IfNoneMatch="*",
                ChecksumSHA256=b64encode(digest.digest()).decode(),
                Metadata={"sha256": digest.hexdigest()},
            )
        except ClientError as error:
            # After a lost answer the retry finds our own object and reads 412 (section 4).
            if _status(error) != 412:
                raise
            if hashlib.sha256(self._get(key)).digest() != digest.digest():
                raise ObjectConflict(PROVIDER, "put", "another object has that key", status=412) from None

    def _get(self, key: str) -> bytes:
        answer = self._client().get_object(Bucket=self._bucket, Key=key)
        with answer["Body"] as body:
            data: bytes = body.read(MAX_OBJECT_BYTES + 1)
        promised = answer["Metadata"].get("sha256")
        if len(data) > MAX_OBJECT_BYTES or promised not in {None, hashlib.sha256(data).hexdigest()}:
            raise ProviderProtocolError(PROVIDER, "get", "the bytes are not those that were put")
        return data

    def _exists(self, key: str) -> bool:
        try:
            self._client().head_object(Bucket=self._bucket, Key=key)
        except ClientError as error:
            # A HEAD's error has no body, so a missing bucket reads the same here; health tells them apart.
            if _status(error) == 404:
                return False
            raise
        return True

    def _link(self, key: str, filename: str, seconds: int) -> str:
        name = re.sub(r"[^A-Za-z0-9._-]", "_", filename)[:100]
        wanted = {
            "Bucket": self._bucket,
            "Key": key,
            "ResponseContentDisposition": f'attachment; filename="{name}"',
            "ResponseContentType": "application/octet-stream",
        }
        url: str = self._client().generate_presigned_url("get_object", Params=wanted, ExpiresIn=seconds)
        return url

    def _expire(self, prefix: str, older_than: datetime) -> int:
        # One by one: DeleteObjects always carries the checksum that old R2 refuses (section 5).
        pages = self._client().get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        old = [row["Key"] for page in pages for row in page.get("Contents", []) if row["LastModified"] < older_than]
        for key in old:
            self._client().delete_object(Bucket=self._bucket, Key=key)
        return len(old)


CONFIG = Config(
    region_name="auto",
    signature_version="s3v4",
    s3={"addressing_style": "path"},
    request_checksum_calculation="when_required",
    response_checksum_validation="when_required",
    connect_timeout=CONNECT_SECONDS,
    read_timeout=READ_SECONDS,
)
"""Section 1. The checksum settings are what keeps R2 from answering Unauthorized or 501 (section 5)."""


@cache
def _session() -> boto3.session.Session:
    """Reads S3's description once, which costs a second and most of the memory."""
    return boto3.session.Session()


def _status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
