"""Receivers are graded: a good one passes every check, and each flaw is found by the check that is for it."""

import socket

import pytest

from app.core.crypto import Plaintext
from app.providers.merchant_http import MerchantHttp, Refused
from app.webhooks.conformance import CheckResult, ConformanceCheck
from tests.webhooks.receivers import SECRET, receiving

FORGERIES = {
    "refuses a body changed on the way", "refuses a signature by another secret",
    "refuses a delivery without signatures",
}  # fmt: skip
TIMES = {"refuses a stale timestamp", "refuses a timestamp of the future"}
GOOD = {"takes a good delivery", "takes the same delivery again", "takes events out of order"}
FLAWS = {
    "trusting": FORGERIES | TIMES,
    "timeless": TIMES,
    "crashes on forgeries": FORGERIES | TIMES,
    "refuses duplicates": {"takes the same delivery again"},
    "refuses old news": {"takes events out of order"},
    "picky": {"takes an event type it does not know"},
    "first signature only": {"takes a delivery in a rotation's overlap"},
    "dies of a huge body": {"refuses a huge body and goes on"},
}


async def graded(url: str, *, simple: bool = False, secret: str = SECRET, **more: int) -> list[CheckResult]:
    http = MerchantHttp(loopback=True, total_seconds=5)
    try:
        check = ConformanceCheck(http, url, Plaintext(secret.encode()), simple=simple, **more)
        return [verdict async for verdict in check.verdicts()]
    finally:
        await http.aclose()


def failed(verdicts: list[CheckResult]) -> set[str]:
    return {verdict.name for verdict in verdicts if not verdict.passed}


async def test_a_receiver_that_uses_the_official_library_passes_every_check() -> None:
    with receiving() as receiver:
        verdicts = await graded(receiver.url)
    assert failed(verdicts) == set()
    assert len(verdicts) == 13
    assert len(receiver.seen) == 12


@pytest.mark.parametrize(("flaw", "found"), FLAWS.items())
async def test_a_flaw_is_found_by_the_check_that_is_for_it_and_by_no_other(flaw: str, found: set[str]) -> None:
    with receiving(flaw) as receiver:
        assert failed(await graded(receiver.url)) == found


async def test_who_checks_the_signature_of_json_written_anew_is_found_out() -> None:
    with receiving("spells anew") as receiver:
        assert failed(await graded(receiver.url)) >= GOOD


async def test_a_redirect_is_named() -> None:
    with receiving("redirects") as receiver:
        first = (await graded(receiver.url))[0]
    assert (first.passed, "302" in first.said, "a redirect" in first.said) == (False, True, True)


async def test_a_slow_receiver_is_told_so() -> None:
    with receiving("slow") as receiver:
        assert failed(await graded(receiver.url, in_time=150)) == {"answers in time"}


async def test_a_simple_receiver_passes_what_it_can_pass() -> None:
    with receiving("simple") as receiver:
        assert failed(await graded(receiver.url, simple=True)) == set()
        assert failed(await graded(receiver.url)) == TIMES


async def test_another_secret_fails_what_should_be_taken_and_nothing_else() -> None:
    with receiving(secret="whsec_" + "A" * 44) as receiver:
        found = failed(await graded(receiver.url))
    assert found >= GOOD
    assert not found & (FORGERIES | TIMES)


async def test_where_nobody_listens_there_is_one_verdict() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/"
    [verdict] = await graded(url)
    assert not verdict.passed
    assert verdict.said.startswith("No connection")


async def test_a_url_we_would_never_send_to_is_not_graded() -> None:
    with pytest.raises(Refused):
        await graded("https://10.0.0.1/")
