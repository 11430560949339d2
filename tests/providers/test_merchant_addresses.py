"""Where merchants' webhooks may not lead. A hostile URL is refused before anything is resolved, let alone sent."""

import pytest

from app.providers.merchant_addresses import Refused, check_address, read_url

HOSTILE = [
    # This machine, by name and number
    "https://localhost/", "https://LOCALHOST/", "https://localhost./", "https://a.localhost/", "https://localhost:8000/",
    "https://localhost.localdomain/", "https://127.0.0.1/", "https://127.1/", "https://127.0.1/", "https://127.255.255.254/",
    "https://0/", "https://0.0.0.0/", "https://0.0.0.1/", "https://[::1]/", "https://[::]/", "https://[0:0:0:0:0:0:0:1]/",
    # IPv4 in other spellings
    "https://2130706433/", "https://0x7f000001/", "https://0x7f.0.0.1/", "https://0X7F.1/", "https://0177.0.0.1/",
    "https://017700000001/", "https://127.0.0.01/", "https://010.0.0.1/", "https://3232235521/", "https://1.2.3/",
    "https://1.2.3.4.5/", "https://256.1.1.1/", "https://0x/", "https://2852039166/", "https://169.254.43518/",
    "https://127.0.0.1./", "https://127。0。0。1/", "https://127．0．0．1/", "https://①②⑦.0.0.1/", "https://１２７.0.0.1/",
    "https://%31%32%37.0.0.1/", "https://127.0.0.1%2f.shop.com/",
    # Private, shared, reserved
    "https://10.0.0.1/", "https://10.255.255.255/", "https://172.16.0.1/", "https://172.31.255.255/", "https://192.168.1.1/",
    "https://100.64.0.1/", "https://100.127.255.255/", "https://198.18.0.1/", "https://198.19.255.255/", "https://192.0.0.8/",
    "https://192.0.2.1/", "https://198.51.100.1/", "https://203.0.113.1/", "https://192.88.99.1/", "https://224.0.0.1/",
    "https://239.255.255.250/", "https://240.0.0.1/", "https://255.255.255.255/",
    # Metadata
    "https://169.254.169.254/latest/meta-data/", "https://169.254.170.2/", "https://100.100.100.200/", "https://192.0.0.192/",
    "https://168.63.129.16/", "https://metadata.google.internal/", "https://metadata/", "https://instance-data/",
    "https://[fd00:ec2::254]/", "https://[fe80::a9fe:a9fe]/",
    # IPv6, and IPv4 within it: mapped, compatible, translated, NAT64 (both prefixes), 6to4, Teredo, ISATAP
    "https://[::ffff:127.0.0.1]/", "https://[::ffff:7f00:1]/", "https://[::ffff:8.8.8.8]/", "https://[::127.0.0.1]/",
    "https://[::ffff:0:127.0.0.1]/", "https://[64:ff9b::7f00:1]/", "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::a00:1]/", "https://[2002:7f00:1::]/", "https://[2002:a9fe:a9fe::1]/", "https://[2001:0:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:3fff:fdd2]/", "https://[2607:f8b0::5efe:7f00:1]/", "https://[2607:f8b0::200:5efe:a00:1]/",
    "https://[fc00::1]/", "https://[fd12:3456::1]/", "https://[fe80::1]/", "https://[fe80::1%25eth0]/", "https://[fec0::1]/",
    "https://[ff02::1]/", "https://[2001:db8::1]/", "https://[3fff::1]/", "https://[100::1]/", "https://[5f00::1]/",
    "https://[::1", "https://::1/", "https://[v1.127]/", "https://[127.0.0.1]/",
    # Names that are no shop's
    "https://redis/", "https://db.internal/", "https://printer.local/", "https://nas.lan/", "https://router.home.arpa/",
    "https://1.0.0.127.in-addr.arpa/", "https://wiki.corp/", "https://x.intranet/", "https://hidden.onion/", "https://a.test/",
    "https://a.invalid/", "https://kubernetes.default.svc/", "https://shop.com./", "https://shop..com/", "https://.shop.com/",
    "https://-shop.com/", "https://shop_1.com/", "https://" + "a" * 64 + ".com/", "https://" + "a." * 127 + "com/",
    "https://xn--a.com/", "https://localhoſt/", "https://loca\u200blhost.com/",
    "https://\u212aaufhaus.de/", "https://sh op.com/",
    # Userinfo, fragments, back slashes, and what else parsers read differently
    "https://user@shop.com/", "https://user:pass@shop.com/", "https://shop.com@127.0.0.1/", "https://127.0.0.1@shop.com/",
    "https://shop.com#@127.0.0.1/", "https://shop.com/#x", "https://shop.com\\@127.0.0.1/", "https://shop.com\\.evil.com/",
    "https:\\\\127.0.0.1/", "https:///127.0.0.1/", "https:/shop.com/", "https:shop.com", "//shop.com/", "shop.com", "",
    "https://", "https://?x", "https://shop.com/a b", "https://shop.com/a\r\nX-Evil: 1", "https://shop.com/\x00", " https://shop.com/",
    "https://shop.com/%zz", "https://shop.com/ü", "https://shop.com/\t", "https://shop.com/" + "a" * 2000,
    # Schemes and ports
    "http://shop.com/", "HTTP://shop.com/", "http://127.0.0.1/", "ftp://shop.com/", "file:///etc/passwd", "gopher://shop.com/",
    "javascript:alert(1)", "data:text/plain,x", "ws://shop.com/", "https://shop.com:80/", "https://shop.com:22/",
    "https://shop.com:25/", "https://shop.com:5432/", "https://shop.com:6379/", "https://shop.com:2375/", "https://shop.com:11211/",
    "https://shop.com:0/", "https://shop.com:65536/", "https://shop.com:99999/", "https://shop.com:443x/", "https://shop.com:/",
    "https://shop.com:0443/", "https://shop.com:-1/", "https://shop.com:４４３/", "https://shop.com:443:443/",
]  # fmt: skip

GOOD = {
    "https://shop.com": ("shop.com", "shop.com", "/"),
    "HTTPS://Hooks.SHOP.com/BitLoot": ("hooks.shop.com", "hooks.shop.com", "/BitLoot"),
    "https://shop.com:443/a": ("shop.com", "shop.com", "/a"),
    "https://shop.com:8443/a": ("shop.com", "shop.com:8443", "/a"),
    "https://shop.com:1024/": ("shop.com", "shop.com:1024", "/"),
    "https://bücher.de/x": ("xn--bcher-kva.de", "xn--bcher-kva.de", "/x"),
    "https://xn--bcher-kva.de/": ("xn--bcher-kva.de", "xn--bcher-kva.de", "/"),
    "https://a-b.shop.co.uk/v1/%C3%BC/../x;y=1,2/@me": (
        "a-b.shop.co.uk",
        "a-b.shop.co.uk",
        "/v1/%C3%BC/../x;y=1,2/@me",
    ),
    "https://8.8.8.8/": ("8.8.8.8", "8.8.8.8", "/"),
    "https://[2606:4700:4700:0::1111]:8443/": ("2606:4700:4700::1111", "[2606:4700:4700::1111]:8443", "/"),
    "https://1e100.net/": ("1e100.net", "1e100.net", "/"),
    "https://3com.com/": ("3com.com", "3com.com", "/"),
}

NEAR = [
    "http://localhost:3000/hook",
    "http://127.0.0.1:3000/",
    "http://[::1]:3000/",
    "https://localhost:8443/",
    "http://localhost/",
]
STILL_FAR = [
    "http://127.0.0.2:3000/", "http://10.0.0.1:3000/", "http://shop.com/", "http://localhost:22/", "http://localhost:6379/",
    "http://localhost.:3000/", "http://a.localhost:3000/", "http://0.0.0.0:3000/", "http://2130706433:3000/",
    "http://user@localhost:3000/", "http://[::ffff:127.0.0.1]:3000/", "http://[::]:3000/", "http://127.1:3000/",
    "http://169.254.169.254/", "http://127.0.0.1.nip.io:3000/",
]  # fmt: skip


def test_the_table_is_as_long_as_it_should_be() -> None:
    assert len(set(HOSTILE)) == len(HOSTILE) >= 150


@pytest.mark.parametrize("url", HOSTILE)
def test_a_hostile_url_is_refused(url: str) -> None:
    with pytest.raises(Refused) as refused:
        read_url(url, loopback=False)
    assert refused.value.why.endswith(".")


@pytest.mark.parametrize("url", HOSTILE)
def test_with_the_loopback_allowed_the_loopback_is_all_that_is_allowed(url: str) -> None:
    try:
        assert set(read_url(url, loopback=True).addresses) <= {"127.0.0.1", "::1"} != set()
    except Refused:
        return


@pytest.mark.parametrize(("url", "read"), GOOD.items())
def test_a_good_url_is_taken_apart(url: str, read: tuple[str, str, str]) -> None:
    target = read_url(url, loopback=False)
    assert (target.host, target.authority, target.path) == read


def test_the_query_is_kept_as_it_was_written() -> None:
    target = read_url("https://shop.com/a?b=%20c&d=/?e", loopback=False)
    assert (target.path, target.query) == ("/a", "b=%20c&d=/?e")


@pytest.mark.parametrize("url", NEAR)
def test_this_machine_is_reached_where_it_may_be_and_only_there(url: str) -> None:
    assert set(read_url(url, loopback=True).addresses) <= {"127.0.0.1", "::1"}
    with pytest.raises(Refused):
        read_url(url, loopback=False)


@pytest.mark.parametrize("url", STILL_FAR)
def test_the_loopback_is_three_spellings_and_no_more(url: str) -> None:
    with pytest.raises(Refused):
        read_url(url, loopback=True)


@pytest.mark.parametrize(
    "address", ["8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700:4700::1111", "2a00:1450::1"]
)
def test_public_addresses_pass(address: str) -> None:
    assert check_address(address) == address


@pytest.mark.parametrize(
    "address", ["fe80::1%eth0", "", "localhost", "127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_what_a_resolver_must_not_answer(address: str) -> None:
    with pytest.raises(Refused):
        check_address(address)
