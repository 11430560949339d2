"""Who calls, in every spelling that proxies and clients use: one caller is one address."""

import pytest

from app.core.client_address import client_address, limit_key, parse

PEER = "10.0.0.9"
XFF, FORWARDED = "x-forwarded-for", "forwarded"

SPELLINGS = {
    "192.0.2.7": ["192.0.2.7", " 192.0.2.7 ", "192.0.2.7:50000", "192.0.2.7:", '"192.0.2.7"', '"192.0.2.7:443"',
                  "192.0.2.7:_hidden", "[192.0.2.7]", "::ffff:192.0.2.7", "::FFFF:c000:207", "[::ffff:192.0.2.7]:80",
                  "0:0:0:0:0:ffff:192.0.2.7", "\t192.0.2.7"],
    "2001:db8::7": ["2001:db8::7", "[2001:db8::7]", "[2001:db8::7]:50000", '"[2001:db8::7]:50000"', "2001:DB8::7",
                    "2001:0db8:0000:0000:0000:0000:0000:0007", "2001:db8:0:0::7", "[2001:db8::7%25eth0]:1",
                    "2001:db8::7%eth0", "[2001:db8::7]:_port", "2001:db8::0.0.0.7"],
    "fe80::1": ["fe80::1%lo", "[fe80::1%25en0]", "FE80:0::1"],
}  # fmt: skip
NO_ADDRESSES = [
    "", " ", "unknown", "_hidden", "example.com", "192.0.2", "192.0.2.256", "192.0.2.7.8", "3221225991", "0xC0000207",
    "192.0.2.7, 192.0.2.8", "[2001:db8::7", "2001:db8::7]", "2001:db8:::7", "::ffff:192.0.2.300", "192.0.2.7:5:0",
    "１９２.0.2.7", "for=192.0.2.7", "[]", '""',
]  # fmt: skip


@pytest.mark.parametrize(("address", "text"), [(a, text) for a, texts in SPELLINGS.items() for text in texts])
def test_every_spelling_of_an_address_is_that_address(address: str, text: str) -> None:
    assert parse(text) == address


@pytest.mark.parametrize("text", NO_ADDRESSES)
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("given", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2:0:0:0:9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_limits_count_an_ipv6_neighbourhood_as_one(given: str, key: str) -> None:
    assert limit_key(given) == key


def called(*lines: tuple[str, str], hops: int = 1, peer: str = PEER, by_forwarded: bool = False) -> str:
    headers = [(name.encode(), value.encode("latin-1")) for name, value in lines]
    return client_address(headers, peer, hops=hops, by_forwarded=by_forwarded)


REAL = "203.0.113.78"
HEADERS = {
    "one line": [(XFF, REAL)],
    "a port that changes": [(XFF, f"{REAL}:50000")],
    "a claim on the left": [(XFF, f"198.51.100.1, {REAL}")],
    "two lines": [(XFF, "198.51.100.1"), (XFF, REAL)],
    "two lines, the second a list": [(XFF, "198.51.100.1"), (XFF, f"198.51.100.2,{REAL}")],
    "empty elements": [(XFF, f",, 198.51.100.1 ,,{REAL}, ,")],
    "an empty second line": [(XFF, REAL), (XFF, "")],
    "blanks and tabs": [(XFF, f" \t {REAL} \t ")],
    "mapped into IPv6": [(XFF, f"::ffff:{REAL}")],
    "an open quote on the left": [(XFF, f'"198.51.100.1, {REAL}')],
    "bytes that are no text, on the left": [(XFF, f"\xff\xfe\x00, {REAL}")],
    "a thousand claims": [(XFF, ", ".join(["198.51.100.1"] * 1000 + [REAL]))],
    "beside a Forwarded of the caller's own": [(FORWARDED, "for=198.51.100.1"), (XFF, REAL)],
    "Forwarded alone": [(FORWARDED, f"for={REAL}")],
    "Forwarded with a port": [(FORWARDED, f'for="{REAL}:4711"')],
    "Forwarded with all its words": [(FORWARDED, f"by=203.0.113.43;FOR = {REAL} ;proto=https;host=a")],
    "Forwarded, two elements": [(FORWARDED, f"for=198.51.100.1;proto=http, for={REAL}")],
    "Forwarded, two lines": [(FORWARDED, "for=198.51.100.1"), (FORWARDED, f"for={REAL}")],
    "Forwarded, commas in quotes": [(FORWARDED, f'for=198.51.100.1;host="a,b;c\\",d", for={REAL}')],
    "Forwarded, a quote left open by the caller": [(FORWARDED, f'for="198.51.100.1, for={REAL}')],
    "Forwarded, an escape left open by the caller": [(FORWARDED, f'for="\\, for={REAL}')],
    "Forwarded, empty elements": [(FORWARDED, f", ,for={REAL},")],
}


@pytest.mark.parametrize("lines", HEADERS.values(), ids=HEADERS.keys())
def test_behind_one_proxy_the_caller_is_whom_the_proxy_saw(lines: list[tuple[str, str]]) -> None:
    assert called(*lines) == REAL


def test_ipv6_in_forwarded_stands_in_quotes_and_brackets() -> None:
    assert called((FORWARDED, 'for="[2001:db8:cafe::17]:4711"')) == "2001:db8:cafe::17"


def test_where_the_proxies_write_forwarded_the_other_header_is_hearsay() -> None:
    both = (XFF, "198.51.100.1"), (FORWARDED, f"for={REAL}")
    assert called(*both, by_forwarded=True) == REAL
    assert called(*both) == "198.51.100.1"
    assert called((XFF, REAL), by_forwarded=True) == REAL


def test_the_nth_from_the_right_counts() -> None:
    chain = XFF, f"198.51.100.1, {REAL}, 192.0.2.2"
    assert [called(chain, hops=n) for n in (0, 1, 2)] == [PEER, "192.0.2.2", REAL]


def test_a_list_shorter_than_the_proxies_is_not_believed() -> None:
    assert called((XFF, REAL), hops=2) == PEER
    assert called(hops=1) == PEER


@pytest.mark.parametrize("hidden", ["unknown", "_hidden", "nonsense"])
def test_an_address_that_a_proxy_hid_counts_as_the_next_hop_on_our_side(hidden: str) -> None:
    assert called((XFF, f"198.51.100.1, {hidden}, {REAL}"), hops=2) == REAL
    assert called((XFF, f"198.51.100.1, {hidden}")) == PEER
    assert called((FORWARDED, f"for=198.51.100.1, for={hidden};proto=https")) == PEER
    assert called((FORWARDED, "for=198.51.100.1, proto=https")) == PEER


def test_a_peer_is_spelt_like_any_other() -> None:
    assert called(hops=0, peer="::ffff:192.0.2.7") == "192.0.2.7"
    assert called(hops=0, peer="") == ""
