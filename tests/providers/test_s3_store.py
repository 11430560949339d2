"""The S3 store's own promises: what R2 is sent, what its errors mean, and what its links grant (r2.md)."""

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
import pytest_asyncio

from app.providers.http import ApiKeyRejected, ProviderDown, ProviderError, ProviderProtocolError, ProviderRefused
from app.providers.storage import ObjectConflict, ObjectMissing
from app.providers.storage_s3 import CONFIG, S3Store

SECRET = "s3-secret-canary"
SEALED = b"\x01sealed" * 30


@pytest_asyncio.fixture(loop_scope="session")
async def store(wire: Any) -> AsyncIterator[S3Store]:
    store = S3Store(wire.url, "s3-id", SECRET, "vault", attempts=2)
    yield store
    await store.aclose()


def xml(code: str) -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{SECRET}</Message></Error>'


def test_the_settings_are_those_of_the_sheet() -> None:
    assert (CONFIG.request_checksum_calculation, CONFIG.response_checksum_validation) == ("when_required",) * 2
    assert (CONFIG.region_name, CONFIG.signature_version) == ("auto", "s3v4")
    assert CONFIG.s3 == {"addressing_style": "path"}
    assert (CONFIG.connect_timeout, CONFIG.read_timeout) == (3, 10)


async def test_a_put_is_plain_checked_and_creates_only(wire: Any, store: S3Store) -> None:
    wire.on("PUT /vault/keys/k-1", b"")
    await store.put("keys/k-1", SEALED)
    sent = wire.last.headers
    digest = sha256(SEALED)
    assert wire.last.body == SEALED
    assert sent["if-none-match"] == "*"
    assert sent["x-amz-checksum-sha256"] == b64encode(digest.digest()).decode()
    assert sent["x-amz-meta-sha256"] == digest.hexdigest()
    assert sent["x-amz-content-sha256"] == digest.hexdigest()
    assert re.search(r"Credential=s3-id/\d{8}/auto/s3/aws4_request", sent["authorization"])
    assert not {"x-amz-trailer", "content-encoding", "x-amz-checksum-crc32", "x-amz-acl"} & sent.keys()
    assert SECRET not in repr(store)


async def test_a_lost_answer_is_recognised_as_our_own_write(wire: Any, store: S3Store) -> None:
    wire.on("PUT /vault/k", then="drop").on("PUT /vault/k", xml("PreconditionFailed"), 412)
    wire.on("GET /vault/k", SEALED)
    await store.put("k", SEALED)
    assert [seen.method for seen in wire.seen] == ["PUT", "PUT", "GET"]
    with pytest.raises(ObjectConflict):
        await store.put("k", b"other")


async def test_bytes_that_changed_are_not_handed_out(wire: Any, store: S3Store) -> None:
    told = {"x-amz-meta-sha256": sha256(b"what was put").hexdigest()}
    wire.on("GET /vault/k", SEALED, headers=told)
    with pytest.raises(ProviderProtocolError):
        await store.get("k")


@pytest.mark.parametrize(
    ("status", "code", "error"),
    [
        (400, "BadDigest", ProviderRefused),
        (400, "ClientDisconnect", ProviderDown),
        (401, "Unauthorized", ApiKeyRejected),
        (403, "AccessDenied", ApiKeyRejected),
        (403, "SignatureDoesNotMatch", ApiKeyRejected),
        (403, "ObjectLockedByBucketPolicy", ProviderRefused),
        (404, "NoSuchKey", ObjectMissing),
        (404, "NoSuchBucket", ProviderRefused),
        (429, "TooManyRequests", ProviderDown),
        (500, "InternalError", ProviderDown),
        (501, "NotImplemented", ProviderRefused),
        (503, "ServiceUnavailable", ProviderDown),
    ],
)
async def test_errors_by_status_and_code(wire: Any, status: int, code: str, error: type) -> None:
    store = S3Store(wire.url, "s3-id", SECRET, "vault", attempts=1)
    wire.on("GET /vault/k", xml(code), status)
    with pytest.raises(ProviderError) as failed:
        await store.get("k")
    assert type(failed.value) is error
    assert (failed.value.status, failed.value.code) == (status, code)
    assert SECRET not in str(failed.value) + str(vars(failed.value))
    await store.aclose()


async def test_a_passing_trouble_is_tried_again(wire: Any, store: S3Store) -> None:
    wire.on("GET /vault/k", xml("ServiceUnavailable"), 503).on("GET /vault/k", SEALED)
    assert await store.get("k") == SEALED


async def test_nobody_listening_is_down(wire: Any) -> None:
    store = S3Store("http://127.0.0.1:1", "s3-id", SECRET, "vault", attempts=1)
    with pytest.raises(ProviderDown) as down:
        await store.put("k", SEALED)
    assert not down.value.may_have_happened


async def test_health_needs_the_bucket(wire: Any, store: S3Store) -> None:
    wire.on("HEAD /vault", b"", 404)
    with pytest.raises(ProviderRefused):
        await store.health()


async def test_a_link_is_signed_offline_with_name_and_end(wire: Any) -> None:
    store = S3Store("https://acct.r2.cloudflarestorage.com", "s3-id", SECRET, "vault")
    url = await store.link("keys/k-1", filename='ga"me\r\nX: y.sealed')
    parts, query = urlsplit(url), parse_qs(urlsplit(url).query)
    assert (parts.scheme, parts.netloc) == ("https", "acct.r2.cloudflarestorage.com")
    assert parts.path == "/vault/keys/k-1"
    assert query["X-Amz-Expires"] == ["900"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["response-content-disposition"] == ['attachment; filename="ga_me__X__y.sealed"']
    assert SECRET not in url
    assert "AWSAccessKeyId" not in query
    await store.aclose()


async def test_a_link_opens_on_a_real_server(s3_bucket: tuple[str, str]) -> None:
    url, bucket = s3_bucket
    store = S3Store(url, "id", "secret", bucket)
    await store.put("keys/k-1", SEALED)
    async with httpx.AsyncClient() as browser:
        answer = await browser.get(await store.link("keys/k-1", filename="game.sealed"))
    assert (answer.status_code, answer.content) == (200, SEALED)
    assert answer.headers["content-disposition"] == 'attachment; filename="game.sealed"'
    await store.aclose()


async def test_a_missing_bucket_on_a_real_server(s3_server: str) -> None:
    store = S3Store(s3_server, "id", "secret", "never-made", attempts=1)
    for asked in (store.health(), store.put("k", b"x"), store.get("k")):
        with pytest.raises(ProviderRefused):
            await asked
    await store.aclose()
