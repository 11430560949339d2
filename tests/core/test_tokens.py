"""Tokens: genuine, unexpired ones of the right kind are read; everything else is nothing."""

import base64
import hmac
import json
from datetime import timedelta
from uuid import UUID

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import clock, tokens
from app.core.ids import new_id
from app.core.settings import settings

HOUR = timedelta(hours=1)


def made(**claims: object) -> str:
    return tokens.sign("order", claims, HOUR)


def signed_elsewhere(claims: dict[str, object], secret: str | None = None, algorithm: str = "HS256") -> str:
    return jwt.encode(claims, secret or settings().jwt_secret.get_secret_value(), algorithm)


def ahead(**by: float) -> int:
    return int((clock.now() + timedelta(**by)).timestamp())


def test_a_token_gives_its_claims_back() -> None:
    claims = tokens.read("order", made(orders=["a", "b"]))
    assert claims is not None
    assert claims["orders"] == ["a", "b"]


def test_one_kind_is_never_taken_for_another() -> None:
    assert tokens.read("session", made(sub="x", role="admin")) is None


def test_a_token_ends_with_its_lifetime_by_our_clock() -> None:
    token = made()
    with clock.travelled(HOUR - timedelta(seconds=5)):
        assert tokens.read("order", token) is not None
    with clock.travelled(HOUR):
        assert tokens.read("order", token) is None


def test_a_token_of_another_secret_is_forged() -> None:
    claims = {"typ": "order", "exp": ahead(hours=1)}
    assert tokens.read("order", signed_elsewhere(claims)) is not None
    assert tokens.read("order", signed_elsewhere(claims, "x" * 40)) is None


def test_another_algorithm_is_not_taken_even_with_our_secret() -> None:
    claims = {"typ": "order", "exp": ahead(hours=1)}
    assert tokens.read("order", signed_elsewhere(claims, algorithm="HS512")) is None


def test_an_unsigned_token_is_nothing() -> None:
    parts = [{"alg": "none", "typ": "JWT"}, {"typ": "order", "exp": ahead(hours=1)}]
    halves = [base64.urlsafe_b64encode(json.dumps(p).encode()).decode().rstrip("=") for p in parts]
    assert tokens.read("order", ".".join([*halves, ""])) is None


@pytest.mark.parametrize(
    "claims", [{"typ": "order"}, {"exp": 9_999_999_999}, {"typ": "order", "exp": "soon"}, {"typ": None, "exp": 10**10}]
)
def test_a_token_without_kind_or_end_is_nothing(claims: dict[str, object]) -> None:
    assert tokens.read("order", signed_elsewhere(claims)) is None


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_token_changed_anywhere_is_forged(place: int) -> None:
    parts = made(orders=["a"]).split(".")
    parts[place] = ("B" if parts[place][0] != "B" else "C") + parts[place][1:]
    assert tokens.read("order", ".".join(parts)) is None


@given(st.text(max_size=80))
def test_any_text_may_be_given_as_a_token(text: str) -> None:
    assert tokens.read("order", text) is None
    assert tokens.read_link_token(text) is None


@given(st.uuids())
def test_a_link_token_names_its_link(link_id: UUID) -> None:
    assert tokens.read_link_token(tokens.link_token(link_id)) == link_id


@given(st.uuids(), st.integers(0, 35), st.integers(1, 255))
def test_a_link_token_with_one_byte_changed_is_forged(link_id: UUID, place: int, by: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(tokens.link_token(link_id) + "=" * 4))
    raw[place] ^= by
    assert tokens.read_link_token(base64.urlsafe_b64encode(bytes(raw)).decode().rstrip("=")) is None


def test_a_link_token_of_one_id_says_nothing_of_another() -> None:
    first, second = new_id(), new_id()
    mixed = second.bytes + base64.urlsafe_b64decode(tokens.link_token(first) + "=" * 4)[16:]
    assert tokens.read_link_token(base64.urlsafe_b64encode(mixed).decode()) is None


def test_our_clock_alone_decides_whether_a_token_is_young_enough() -> None:
    with clock.travelled(timedelta(hours=-2)):
        past = tokens.sign("order", {}, timedelta(hours=1))
        assert tokens.read("order", past) is not None
    assert tokens.read("order", past) is None
    with clock.travelled(timedelta(hours=2)):
        assert tokens.read("order", tokens.sign("order", {}, timedelta(hours=1))) is not None


def test_a_token_ends_with_its_last_second() -> None:
    noon = clock.now().replace(hour=12, minute=0, second=0, microsecond=0)
    with clock.ruled_by(lambda: noon):
        token = tokens.sign("order", {}, timedelta(seconds=60))
    for seconds, good in ((59, True), (60, False), (61, False)):
        with clock.ruled_by(lambda seconds=seconds: noon + timedelta(seconds=seconds)):
            assert (tokens.read("order", token) is not None) is good, seconds


def test_a_link_token_is_the_links_id_and_a_mac_for_links_alone() -> None:
    link_id = new_id()
    secret = settings().jwt_secret.get_secret_value().encode()
    mac = hmac.digest(secret, b"link:" + link_id.bytes, "sha256")[:20]
    assert tokens.link_token(link_id) == base64.urlsafe_b64encode(link_id.bytes + mac).decode()
