"""Signatures of notices, against vectors that Node made and against a second serialiser written here."""

import hashlib
import hmac
import json
import math
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_UP, Context, Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core import signing

SECRET = "ipn-secret-of-the-tests"

# Made with Node 20: createHmac("sha512", SECRET).update(JSON.stringify(sorted(JSON.parse(wire)))).digest("hex")
NODE = {
    "captured shape, unsorted": (
        b'{"payment_id":5800000001,"payment_status":"finished","fee":{"withdrawalFee":0,"currency":"btc","serviceFee":0.000003,"depositFee":0.000002},"order_id":"o-1","actually_paid":0.00656612,"updated_at":1765249461097}',
        "e2b96c8c042b846e9dfb735c376d1725797334e47893cfd48973c7d39fc195d1"
        "54df5d7ab889910679faecb927c4b78bca027706e74260366058efb33618eb5e",
    ),
    "python spelling on the wire": (
        b'{"z": 1e-07, "a": 8.3e-05, "b": 13.0, "c": 0.10, "d": 1e+21, "e": 2E-06, "f": -0.0}',
        "cafdc6d4ad65e27972f01c6fd6bb3906b7f8e66ac7ba76d3d00d2fdeebfc5696"
        "76f68441381f31d5efe3ee6dbc2dfdef262d82a128afa6c820f6ba738bd87d7e",
    ),
    "unicode and slashes": (
        (
            '{"order_description":"Ключ \\u00e9 \\ud83d\\ude00 \\/ \\u2028 \\u007f \\u001f \\" \\\\'
            '","b":"\\b\\f\\n\\r\\t"}'
        ).encode(),
        "ea0afbbba7ae6e69d97af5206fcebc9ab45bf9e9a24091070d25f93e2133d6c6"
        "1615c70c214695e5f5b730be28e3aa5f2ad14c86c6a183832ec16d0b77762f35",
    ),
    "arrays kept": (
        b'{"payment_extra_ids":[5513339153,{"b":1,"a":[]}],"a":null,"t":true}',
        "09d5c3fc2ed74b1ba224af4949ab828622b83e47535b54626240dd1e03404eb8"
        "ea43ddd275763d9076125b2913584dbe08fd8efe3587db3313fc4a77bf3c7298",
    ),
    "arrays as objects": (
        b'{"payment_extra_ids":[5513339153,11,12,13,14,15,16,17,18,19,{"b":1,"a":[]}],"a":null}',
        "cf123b3a728d9439f5e570da18a2c48be5218807fc671e7576b74c9bee5e8ea2"
        "fdc1e5f0abceeaaf042fa0bddd83a7d962d9bf2b64e6e56e57dd37fb6ffe7155",
    ),
    "names like numbers": (
        b'{"b":1,"10":2,"9":3,"01":4,"":5,"\\ue000":6,"\\ud83d\\ude00":7}',
        "f1668af7179466dd11b112ef9a1ddc547c40fe7155d9c484d06587becc9d4a7a"
        "451e0588131f1f476ca72698fb721e45e0be9303d3ec99c5a4798474c3336bc7",
    ),
}

# Pairs of Number.toExponential() and JSON.stringify() from the same Node.
NODE_NUMBERS = [
    ("1e-7", "1e-7"),
    ("1e-6", "0.000001"),
    ("1.23e-4", "0.000123"),
    ("1e+21", "1e+21"),
    ("1e+20", "100000000000000000000"),
    ("1.2345678901234568e+20", "123456789012345680000"),
    ("5e-324", "5e-324"),
    ("1.7976931348623157e+308", "1.7976931348623157e+308"),
    ("4.35e+0", "4.35"),
    ("3.0000000000000004e-1", "0.30000000000000004"),
    ("1e+2", "100"),
    ("1.5e-9", "1.5e-9"),
    ("1.2345678e+4", "12345.678"),
    ("-1e-10", "-1e-10"),
    ("-2.55e+1", "-25.5"),
    ("2e+25", "2e+25"),
    ("9.007199254740992e+15", "9007199254740992"),
]

# The de-identified captured body of nowpayments.md section 6, joined as it came: sorted and compact.
CAPTURED = (
    b'{"actually_paid":0.00656612,"actually_paid_at_fiat":0,"fee":{"currency":"btc","depositFee":0.000002,'
    b'"serviceFee":0.000003,"withdrawalFee":0},"invoice_id":null,"order_description":null,"order_id":"o-1",'
    b'"outcome_amount":0.00022187,"outcome_currency":"btc","parent_payment_id":null,"pay_address":"0x..",'
    b'"pay_amount":0.00656612,"pay_currency":"eth","payin_extra_id":null,"payment_extra_ids":null,'
    b'"payment_id":5800000001,"payment_status":"finished","price_amount":20,"price_currency":"usd",'
    b'"purchase_id":"5170000001","updated_at":1765249461097}'
)


EXACT = Context(prec=1200)


def hmac512(text: bytes, secret: str = SECRET) -> str:
    return hmac.new(secret.encode(), text, hashlib.sha512).hexdigest()


def in_javascript(value: Any) -> str:
    """JSON.stringify over sorted members, written apart from the code under test: numbers are cut out of %e."""
    if isinstance(value, dict):
        inner = ",".join(f"{json.dumps(k)}:{in_javascript(v)}" for k, v in sorted(value.items()))
        return "{" + inner + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(in_javascript, value)) + "]"
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if value == 0:
        return "0"
    bare, n = shortest(Decimal(abs(value)), abs(value))
    sign = "-" if value < 0 else ""
    if n > 21 or n < -5:
        return f"{sign}{bare[0]}{'.' * (len(bare) > 1)}{bare[1:]}e{'+' if n > 0 else '-'}{abs(n - 1)}"
    if n <= 0:
        return f"{sign}0.{'0' * -n}{bare}"
    return f"{sign}{bare.ljust(n, '0')}" if len(bare) <= n else f"{sign}{bare[:n]}.{bare[n:]}"


def shortest(exact: Decimal, value: float) -> tuple[str, int]:
    """The fewest digits that still read back as ``value``, nearest first, and where their point stands."""
    for digits in range(1, 18):
        step = Decimal(1).scaleb(exact.adjusted() - digits + 1)
        around = (exact.quantize(step, rounding, EXACT) for rounding in (ROUND_HALF_EVEN, ROUND_DOWN, ROUND_UP))
        for near in around:
            if float(near) == value:
                return "".join(map(str, near.as_tuple().digits)).rstrip("0"), near.adjusted() + 1
    raise AssertionError("a double needs at most 17 digits")


def as_objects(value: Any) -> Any:
    if isinstance(value, list):
        return {str(i): as_objects(item) for i, item in enumerate(value)}
    return {k: as_objects(v) for k, v in value.items()} if isinstance(value, dict) else value


names = st.text("abcdefgh_", min_size=1, max_size=8)
numbers = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=12)
leaves = st.none() | st.booleans() | numbers | texts
bodies = st.dictionaries(
    names,
    st.recursive(leaves, lambda c: st.lists(c, max_size=4) | st.dictionaries(names, c, max_size=4), max_leaves=8),
    max_size=6,
)


@pytest.mark.parametrize(("wire", "signature"), NODE.values(), ids=list(NODE))
def test_what_node_signed_is_genuine_and_nothing_else_is(wire: bytes, signature: str) -> None:
    assert signing.verify_ipn(wire, signature, SECRET)
    assert signing.verify_ipn(wire, f" {signature.upper()} ", f"\t{SECRET}\n")
    assert not signing.verify_ipn(wire, signature, SECRET + "x")
    assert not signing.verify_ipn(wire, signature[:-1] + ("0" if signature[-1] != "0" else "1"), SECRET)
    assert not signing.verify_ipn(wire[:-1] + b',"more":1}', signature, SECRET)


@pytest.mark.parametrize(("number", "spelt"), NODE_NUMBERS)
def test_numbers_are_spelt_as_node_spells_them(number: str, spelt: str) -> None:
    signature = hmac512(f'{{"n":{spelt}}}'.encode())
    assert signing.verify_ipn(f'{{ "n" : {number} }}'.encode(), signature, SECRET)


def test_the_captured_notice_is_verified_over_its_raw_bytes() -> None:
    data = signing.read_ipn(CAPTURED, hmac512(CAPTURED), SECRET)
    assert data is not None
    assert data["fee"]["depositFee"] == Decimal("0.000002")
    assert data["payment_id"] == 5800000001
    assert str(data["actually_paid"]) == "0.00656612"


@given(bodies, st.integers(0, 4))
def test_every_way_of_writing_a_signed_body_is_accepted(body: dict[str, Any], indent: int) -> None:
    # The wire has Python's number spelling, unsorted, spaced and escaped; the signer was JavaScript.
    wire = json.dumps(body, indent=indent or None, ensure_ascii=indent % 2 == 0).encode()
    assert signing.verify_ipn(wire, hmac512(in_javascript(body).encode()), SECRET)
    assert signing.verify_ipn(wire, hmac512(in_javascript(as_objects(body)).encode()), SECRET)


@given(bodies, texts)
def test_a_changed_text_is_refused(body: dict[str, Any], text: str) -> None:
    signature = hmac512(in_javascript(body).encode())
    changed = body | {"order_id": text}
    assert not signing.verify_ipn(json.dumps(changed).encode(), signature, SECRET)


def test_number_texts_are_kept_as_they_came() -> None:
    wire = b'{"b": 0.1000, "a": 1E5}'
    assert signing.verify_ipn(wire, hmac512(b'{"a":1E5,"b":0.1000}'), SECRET)


def test_a_long_id_cannot_be_bent_within_a_doubles_rounding() -> None:
    signature = hmac512(b'{"payment_id":9007199254740992}')
    assert signing.verify_ipn(b'{ "payment_id":9007199254740992}', signature, SECRET)
    assert not signing.verify_ipn(b'{ "payment_id":9007199254740993}', signature, SECRET)


def test_sorting_only_the_top_level_is_refused() -> None:
    half_sorted = b'{"a":1,"fee":{"z":1,"b":2}}'
    assert not signing.verify_ipn(b'{"fee":{"z":1,"b":2},"a":1}', hmac512(half_sorted), SECRET)


REFUSED = {
    "doubled name": b'{"a":1,"a":2}',
    "doubled name inside": b'{"a":{"b":1,"b":1}}',
    "doubled after escapes": b'{"a":1,"\\u0061":2}',
    "NaN": b'{"a":NaN}',
    "Infinity": b'{"a":-Infinity}',
    "not JSON": b"payment=finished",
    "cut off": b'{"a":1',
    "empty": b"",
    "not UTF-8": b'{"a":"\xff"}',
    "UTF-16": '{"a":1}'.encode("utf-16"),
    "byte order mark": b'\xef\xbb\xbf{"a":1}',
    "no object": b"[1]",
    "null": b"null",
    "NUL": b'{"a":"\\u0000"}',
    "lone surrogate": b'{"a":"\\ud800"}',
    "control character": b'{"a":"\n"}',
    "vast exponent": b'{"a":1e999999999}',
    "vaster exponent": b'{"a":1e99999999999999999999}',
    "endless digits": b'{"a":' + b"9" * 5000 + b"}",
    "too deep": b'{"a":' * 33 + b"1" + b"}" * 33,
    "too deep after a string of brackets": b'["]]]]]]]]\\"", ' + b"[" * 32 + b"]" * 33,
    "too long": b'{"a":"' + b"x" * signing.MAX_BYTES + b'"}',
    "ten megabytes of depth": b"[" * 10_000_000,
    "depth behind an open string": b'{"a":"' + b"[" * 200_000,
    "quotes without end": b'"\\"' * 60_000,
}


@pytest.mark.parametrize("wire", REFUSED.values(), ids=list(REFUSED))
def test_malformed_bodies_are_refused_even_with_a_right_signature(wire: bytes) -> None:
    assert not signing.verify_ipn(wire, hmac512(wire), SECRET)


@pytest.mark.parametrize("header", [None, "", "x" * 128, "é" * 128, "ab" * 63, "ab" * 65, "\ud800"])
def test_headers_that_are_no_signature_are_refused(header: str | None) -> None:
    assert not signing.verify_ipn(b"{}", header, SECRET)
    assert not signing.verify_hmac_sha512_hex(b"{}", header, SECRET)


@pytest.mark.parametrize("secret", ["", "  ", "\n"])
def test_an_empty_secret_verifies_nothing(secret: str) -> None:
    assert not signing.verify_ipn(b"{}", hmac512(b"{}", secret), secret)
    assert not signing.verify_ipn(b"{}", hmac512(b"{}", ""), secret)
    assert not signing.verify_shared_secret("", "")


def test_strict_json_gives_ints_and_exact_decimals_only() -> None:
    read = signing.parse_strict(b'{"a":0.1000,"b":-7,"c":[1e2,true,null],"d":"\\ud83d\\ude00\\\\u0000"}')
    assert read == {"a": Decimal("0.1"), "b": -7, "c": [Decimal(100), True, None], "d": "😀\\u0000"}
    assert str(read["a"]) == "0.1000"
    assert type(read["b"]) is int


def test_depth_is_bounded_exactly_and_brackets_in_texts_do_not_count() -> None:
    assert signing.parse_strict(b"[" * 32 + b"]" * 32)
    with pytest.raises(signing.MalformedJson):
        signing.parse_strict(b"[" * 33 + b"]" * 33)
    assert signing.parse_strict(b'["' + b"[" * 500 + b'\\""]') == ["[" * 500 + '"']
    assert signing.parse_strict(b"[" + b"[]," * 100 + b"[]]", max_depth=2)


@pytest.mark.parametrize("name", REFUSED.keys() - {"no object", "null"})
def test_what_is_refused_says_nothing_of_the_text(name: str) -> None:
    with pytest.raises(signing.MalformedJson) as refused:
        signing.parse_strict(REFUSED[name])
    assert refused.value.__cause__ is None
    assert len(str(refused.value)) < 60


@settings(max_examples=300)
@given(st.binary(max_size=64))
def test_no_bytes_break_the_parser_otherwise(raw: bytes) -> None:
    try:
        signing.parse_strict(raw)
    except signing.MalformedJson:
        return
    json.loads(raw)


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_the_second_serialiser_is_a_serialiser(number: float) -> None:
    assert float(in_javascript(number)) == number or math.isclose(number, 0)


def test_kinguins_headers() -> None:
    assert signing.verify_shared_secret("s3cret", "s3cret")
    for wrong in (None, "", "s3cre", "s3cret ", "é", "\ud800"):
        assert not signing.verify_shared_secret(wrong, "s3cret")
    assert signing.verify_hmac_sha512_hex(b"raw \xff", hmac512(b"raw \xff").upper(), SECRET)
    assert not signing.verify_hmac_sha512_hex(b"raw", hmac512(b"raw "), SECRET)
    assert not signing.verify_hmac_sha512_hex(b"raw", hmac512(b"raw", ""), "")


# The example of the Standard Webhooks specification and of Svix's own documentation.
SVIX_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SVIX = {
    "svix-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "svix-timestamp": "1614265330",
    "svix-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SVIX_BODY = b'{"test": 2432232314}'
THEN = datetime.fromtimestamp(1614265330, UTC)


def test_svix_genuine_vector() -> None:
    assert signing.verify_svix(SVIX_BODY, SVIX, SVIX_SECRET, THEN)
    renamed = {name.replace("svix", "Webhook").title(): value for name, value in SVIX.items()}
    assert signing.verify_svix(SVIX_BODY, renamed, SVIX_SECRET, THEN + timedelta(seconds=300))


def test_svix_takes_any_signature_of_a_rotation() -> None:
    listed = f"v1a,xx v1,{b64encode(b'x' * 32).decode()} {SVIX['svix-signature']}"
    assert signing.verify_svix(SVIX_BODY, SVIX | {"svix-signature": listed}, SVIX_SECRET, THEN)


@pytest.mark.parametrize(
    "change",
    [
        {"svix-id": "msg_other"},
        {"svix-id": ""},
        {"svix-timestamp": "1614265331"},
        {"svix-timestamp": "161426533O"},
        {"svix-timestamp": "-1"},
        {"svix-timestamp": "9" * 400},
        {"svix-signature": SVIX["svix-signature"].replace("v1,", "v2,")},
        {"svix-signature": SVIX["svix-signature"][3:]},
        {"svix-signature": ""},
        {"svix-signature": "v1,é\ud800"},
    ],
)
def test_svix_refuses(change: dict[str, str]) -> None:
    assert not signing.verify_svix(SVIX_BODY, SVIX | change, SVIX_SECRET, THEN)


def test_svix_refuses_old_early_and_unsigned_notices() -> None:
    for skew in (-301, 301):
        assert not signing.verify_svix(SVIX_BODY, SVIX, SVIX_SECRET, THEN + timedelta(seconds=skew))
    assert not signing.verify_svix(SVIX_BODY + b" ", SVIX, SVIX_SECRET, THEN)
    assert not signing.verify_svix(SVIX_BODY, {}, SVIX_SECRET, THEN)
    for secret in ("", "whsec_", "whsec_not base64", "é"):
        assert not signing.verify_svix(SVIX_BODY, SVIX, secret, THEN)


def test_a_forger_cannot_make_us_spell_long_bodies_anew() -> None:
    long = b'{"b":"' + b"x" * signing.MAX_CANONICAL_BYTES + b'","a":1}'
    assert signing.verify_ipn(long, hmac512(long), SECRET)
    text = in_javascript(json.loads(long)).encode()
    assert not signing.verify_ipn(long, hmac512(text), SECRET)


def signed_by(key: bytes, ident: str = "msg_1", body: bytes = b"{}") -> dict[str, str]:
    """Headers of a notice that somebody signed with ``key`` at THEN."""
    stamp = str(int(THEN.timestamp()))
    made = hmac.new(key, f"{ident}.{stamp}.".encode() + body, hashlib.sha256).digest()
    return {"svix-id": ident, "svix-timestamp": stamp, "svix-signature": f"v1,{b64encode(made).decode()}"}


@pytest.mark.parametrize("secret", ["", "whsec_", "whsec_not base64!"])
def test_svix_without_a_key_knows_nobody_not_even_who_signs_with_none(secret: str) -> None:
    assert signing.verify_svix(b"{}", signed_by(b"key"), f"whsec_{b64encode(b'key').decode()}", THEN)
    assert not signing.verify_svix(b"{}", signed_by(b""), secret, THEN)


def test_svix_reads_a_secret_strictly() -> None:
    stray = b64encode(b"key").decode()
    assert not signing.verify_svix(b"{}", signed_by(b"key"), f"whsec_{stray[:2]}!{stray[2:]}", THEN)


@pytest.mark.parametrize("left_out", ["svix-id", "svix-timestamp", "svix-signature"])
def test_svix_without_one_of_its_headers_is_no_notice(left_out: str) -> None:
    headers = {name: value for name, value in SVIX.items() if name != left_out}
    assert not signing.verify_svix(SVIX_BODY, headers, SVIX_SECRET, THEN)


def test_svix_signatures_are_listed_with_spaces_only() -> None:
    listed = f"v1,eA==\t{SVIX['svix-signature']}"
    assert not signing.verify_svix(SVIX_BODY, SVIX | {"svix-signature": listed}, SVIX_SECRET, THEN)


def test_svix_needs_an_id_whoever_signed() -> None:
    key = b"key"
    assert not signing.verify_svix(b"{}", signed_by(key, ident=""), f"whsec_{b64encode(key).decode()}", THEN)


@pytest.mark.parametrize("name", ["NaN", "Infinity", "-Infinity"])
def test_what_json_has_no_word_for_is_named(name: str) -> None:
    with pytest.raises(signing.MalformedJson, match=r"^NaN and Infinity are not JSON$"):
        signing.parse_strict(f'{{"a": {name}}}'.encode())
