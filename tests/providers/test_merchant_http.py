"""What a POST to a merchant's URL promises, on real sockets; the DNS is a table, and public addresses end here."""

import asyncio
import logging
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from app.core import clock
from app.providers.merchant_http import MerchantHttp, Refused, Unreachable, check_url

PUBLIC, OTHER = "93.184.215.14", "151.101.1.69"
BODY = b'{"id":"evt_1"}'
HEADERS = {"Content-Type": "application/json", "webhook-id": "evt_1"}


class Dns:
    """Answers in turn, and the last one for good. ``asked`` counts."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers, self.asked, self.hangs = list(answers), 0, False

    async def __call__(self, name: str) -> list[str]:
        self.asked += 1
        if self.hangs:
            await asyncio.Event().wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return answer


class Sockets:
    """Notes who is dialled, and connects public addresses to a port of ours instead, or to nobody."""

    def __init__(self, port: int | None = None) -> None:
        self.port, self.dialled, self.dead = port, list[str](), set[str]()

    def __call__(self, info: Any) -> socket.socket:
        address = info[4]
        self.dialled.append(address[0])
        if self.port is None or address[0] in self.dead:
            raise OSError("unreachable, says the test")
        port = self.port

        class Redirected(socket.socket):
            def connect(self, _address: Any) -> None:
                super().connect(("127.0.0.1", port))

        made = Redirected(socket.AF_INET, socket.SOCK_STREAM)
        made.setblocking(False)
        return made


@pytest_asyncio.fixture(loop_scope="session")
async def opened() -> AsyncIterator[Callable[..., MerchantHttp]]:
    made: list[MerchantHttp] = []

    def open_one(**more: Any) -> MerchantHttp:
        made.append(MerchantHttp(**{"loopback": True, "total_seconds": 2.0} | more))
        return made[-1]

    yield open_one
    for one in made:
        await one.aclose()


@pytest_asyncio.fixture(loop_scope="session")
async def http(opened: Any) -> MerchantHttp:
    return opened()


class Paper:
    """An authority of ours and certificates by it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.root = self._certificate("an authority", self.key.public_key(), authority=True)
        pem = self.root.public_bytes(serialization.Encoding.PEM).decode()
        self.trust = ssl.create_default_context(cadata=pem)

    def server(self, name: str, *, days: int = 1) -> ssl.SSLContext:
        key = ec.generate_private_key(ec.SECP256R1())
        certificate, file = self._certificate(name, key.public_key(), days=days), self.folder / f"{name}{days}.pem"
        secret = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        file.write_bytes(secret + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _certificate(self, name: str, key: Any, *, authority: bool = False, days: int = 1) -> x509.Certificate:
        now, issuer = datetime.now(UTC), x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority")])
        builder = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(issuer)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=9))
            .not_valid_after(now + timedelta(days=days))
            .add_extension(x509.BasicConstraints(authority, None), critical=True)
        )
        if not authority:
            builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return builder.sign(self.key, hashes.SHA256())


@pytest.fixture(scope="module")
def paper(tmp_path_factory: Any) -> Iterator[Paper]:
    return Paper(tmp_path_factory.mktemp("paper"))


@pytest_asyncio.fixture(loop_scope="session")
async def secured(wire: Any) -> AsyncIterator[Callable[[ssl.SSLContext], Any]]:
    """The wire behind TLS; gives its port."""
    servers: list[asyncio.Server] = []

    async def serve(context: ssl.SSLContext) -> int:
        servers.append(await asyncio.start_server(wire.serve, "127.0.0.1", 0, ssl=context))
        return int(servers[-1].sockets[0].getsockname()[1])

    yield serve
    for server in servers:
        server.close()


@pytest_asyncio.fixture(loop_scope="session")
async def raw() -> AsyncIterator[Callable[[bytes], Any]]:
    """A server that sends these bytes whatever it hears, and then says no more; gives its URL."""
    servers: list[asyncio.Server] = []
    done = asyncio.Event()

    async def serve(said: bytes, *, ends: bool = False) -> str:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(65_536)
            writer.write(said)
            if not ends:
                await done.wait()
            writer.close()

        servers.append(await asyncio.start_server(answer, "127.0.0.1", 0))
        return f"http://127.0.0.1:{servers[-1].sockets[0].getsockname()[1]}/"

    yield serve
    done.set()
    for server in servers:
        server.close()


# The call


async def test_body_and_headers_arrive_as_given_and_the_answer_comes_back(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook", b'{"ok":1}', 202, headers={"X-Trace": "t1", "Set-Cookie": "session=1"})
    reply = await http.post(f"{wire.url}/hook?a=b%20c", BODY, HEADERS, test=True)
    assert (reply.status, reply.body, reply.address) == (202, b'{"ok":1}', "127.0.0.1")
    assert (reply.headers["x-trace"], reply.headers["set-cookie"]) == ("t1", "hidden")
    assert (wire.last.body, wire.last.query) == (BODY, {"a": "b c"})
    assert wire.last.headers["webhook-id"] == "evt_1"
    assert wire.last.headers["host"] == wire.url.removeprefix("http://")
    assert "cookie" not in wire.last.headers


async def test_cookies_are_never_sent_back(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook", headers={"Set-Cookie": "session=1; Path=/"})
    for _ in range(2):
        await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert "cookie" not in wire.last.headers


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_an_answer_and_is_not_followed(http: MerchantHttp, wire: Any, status: int) -> None:
    wire.on("POST /hook", status=status, headers={"Location": f"{wire.url}/elsewhere"})
    reply = await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert reply.status == status
    assert [request.path for request in wire.seen] == ["/hook"]


async def test_connections_are_used_again(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook")
    for _ in range(5):
        await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert wire.connections == 1


async def test_a_kept_connection_that_was_hung_up_on_is_replaced(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook").on("POST /hook", then="drop").on("POST /hook")
    for _ in range(2):
        reply = await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
        assert reply.status == 200
    assert (len(wire.seen), wire.connections) == (3, 2)


async def test_a_new_connection_that_is_hung_up_on_is_not_tried_again(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook", then="drop")
    with pytest.raises(Unreachable) as failed:
        await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert (failed.value.kind, failed.value.address, len(wire.seen)) == ("broken", "127.0.0.1", 1)


async def test_proxies_of_the_environment_are_not_used(http: MerchantHttp, wire: Any, monkeypatch: Any) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    wire.on("POST /hook")
    assert (await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)).status == 200


async def test_nobody_listening_is_a_sentence(http: MerchantHttp) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreachable, match=r"^No connection: .+\.$") as failed:
        await http.post(f"http://127.0.0.1:{port}/", BODY, HEADERS, test=True)
    assert failed.value.kind == "connect"


# Bounds


async def test_four_kilobytes_of_a_long_answer_are_kept(http: MerchantHttp, wire: Any) -> None:
    wire.on("POST /hook", b"x" * 60_000)
    for _ in range(2):
        reply = await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
        assert reply.body == b"x" * 4096
    assert wire.connections == 1


async def test_an_endless_answer_is_left_after_64_kilobytes(opened: Any, raw: Any) -> None:
    url = await raw(b"HTTP/1.1 200 OK\r\ncontent-length: 100000000\r\n\r\n" + b"x" * 200_000)
    reply = await opened().post(url, BODY, HEADERS, test=True)
    assert (reply.status, len(reply.body)) == (200, 4096)


@pytest.mark.parametrize(
    "said",
    [b"", b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 2", b"HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n"],
    ids=["silence", "to be continued", "half a status", "half an interim head"],
)
async def test_whatever_does_not_end_is_left_in_time(opened: Any, raw: Any, said: bytes) -> None:
    http = opened(total_seconds=0.3)
    with pytest.raises(Unreachable, match=r"No answer within 0\.3 seconds\.") as failed:
        await http.post(await raw(said), BODY, HEADERS, test=True)
    assert (failed.value.kind, failed.value.address, failed.value.ms >= 300) == ("timeout", "127.0.0.1", True)


async def test_a_drip_is_left_in_time_and_its_status_line_counts(opened: Any, wire: Any) -> None:
    wire.on("POST /hook", then="drip")
    reply = await opened(total_seconds=0.3).post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert (reply.status, reply.whole) == (200, False)


@pytest.mark.parametrize(
    "said",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 2x0 OK\r\n\r\n", b"<html>200 OK</html>", b"HTTP/1.1 2000 OK\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 30,
    ],
)  # fmt: skip
async def test_what_is_not_http_is_broken(opened: Any, raw: Any, said: bytes) -> None:
    with pytest.raises(Unreachable, match=r"^The answer was not HTTP\.$") as failed:
        await opened().post(await raw(said), BODY, HEADERS, test=True)
    assert failed.value.kind == "broken"


GOOD = b"HTTP/1.1 200 OK\r\n"
AFTER = {  # what may follow a status line
    "a header of 9,000 bytes": b"x-debug: " + b"y" * 9_000 + b"\r\ncontent-length: 2\r\n\r\nok",
    "a header of 200 kB": b"x-debug: " + b"y" * 200_000 + b"\r\n\r\n",
    "a thousand headers": b"".join(b"x-%d: y\r\n" % n for n in range(1000)) + b"content-length: 2\r\n\r\nok",
    "lines that are no headers": b"no colon here\r\n: no name\r\n folded\r\nx y: z\r\ncontent-length: 2\r\n\r\nok",
    "bytes that are no text": b"x: \x00\xff\xfe\x7f\r\ncontent-length: 2\r\n\r\nok",
    "half a head": b"content-len",
    "no head": b"",
    "half a body": b"content-length: 10\r\n\r\nabc",
    "a length that is no number": b"content-length: many\r\n\r\nok",
    "a negative length": b"content-length: -1\r\n\r\nok",
    "two lengths": b"content-length: 2\r\ncontent-length: 3\r\n\r\nok",
    "bad chunks": b"transfer-encoding: chunked\r\n\r\nzz\r\nok\r\n",
    "a chunk cut off": b"transfer-encoding: chunked\r\n\r\n5\r\nok",
    "chunks without an end": b"transfer-encoding: chunked\r\n\r\n2\r\nok\r\n",
    "an unknown coding": b"transfer-encoding: gzip, brotli\r\n\r\nok",
    "chunks and a length": b"transfer-encoding: chunked\r\ncontent-length: 9\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    "trailing garbage": b"content-length: 2\r\n\r\nokHTTP/1.1 500 no\r\n\r\n",
    "bare line feeds": b"content-length: 2\n\nok",
    "a coding it was not asked for": b"content-encoding: gzip\r\ncontent-length: 2\r\n\r\nok",
}


@pytest.mark.parametrize("ends", [True, False], ids=["then it hangs up", "then it is silent"])
@pytest.mark.parametrize("after", AFTER)
async def test_the_status_line_decides_whatever_follows_it(opened: Any, raw: Any, after: str, ends: bool) -> None:
    reply = await opened(total_seconds=0.5).post(await raw(GOOD + AFTER[after], ends=ends), BODY, HEADERS, test=True)
    assert reply.status == 200
    assert b"ok".startswith(reply.body[:2]) or reply.body == b"abc"


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"HTTP/1.1 204 No Content\r\n\r\n", 204), (b"HTTP/1.1 200\r\n\r\n", 200), (b"HTTP/1.0 201 \n\n", 201),
        (b"\r\nHTTP/1.1 202 OK\r\n\r\n", 202), (b"HTTP/1.1 200 " + b"x" * 20_000, 200), (b"HTTP/1.1 410", 410),
        (b"HTTP/1.1 410 Gone\r\nbad head\r\ncontent-length: x\r\n\r\n", 410), (b"HTTP/2 200\r\n\r\n", 200),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", 200), (b"HTTP/1.1 503 \xff\r\n", 503),
        (b"HTTP/1.1 103 Early\r\nlink: x\r\nno header\r\n\r\nHTTP/1.1 102 P\r\n\r\nHTTP/1.1 500 No\r\n\r\n", 500),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", 101),
    ],
)  # fmt: skip
@pytest.mark.parametrize("ends", [True, False])
async def test_a_status_line_is_read_in_every_spelling(
    opened: Any, raw: Any, line: bytes, status: int, ends: bool
) -> None:
    reply = await opened(total_seconds=0.5).post(await raw(line, ends=ends), BODY, HEADERS, test=True)
    assert reply.status == status


@pytest.mark.parametrize("after", ["trailing garbage", "two lengths", "bad chunks", "half a body"])
async def test_a_connection_that_said_something_odd_is_not_used_again(opened: Any, after: str) -> None:
    served: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(0)
        while await reader.read(65_536):
            served[-1] += 1
            writer.write(GOOD + AFTER[after])
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url, http = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/", opened(total_seconds=0.3)
    for _ in range(3):
        assert (await http.post(url, BODY, HEADERS, test=True)).status == 200
    server.close()
    assert len(served) == 3


async def test_headers_are_capped_and_made_of_text(opened: Any, raw: Any) -> None:
    many = b"".join(b"x-%d: %s\r\n" % (n, b"\xff" * 700) for n in range(60))
    reply = await opened().post(
        await raw(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n" + many + b"\r\n"), b"", {}, test=True
    )
    assert len(reply.headers) == 50
    assert reply.headers["x-1"] == "\xff" * 500


async def test_an_endpoint_that_hangs_holds_up_no_other(opened: Any, wire: Any, raw: Any) -> None:
    http, hanging = opened(total_seconds=1.5), await raw(b"")
    wire.on("POST /hook")
    stuck = [asyncio.create_task(http.post(hanging, BODY, HEADERS, test=True)) for _ in range(150)]
    await asyncio.sleep(0)
    async with asyncio.timeout(1.0):
        await http.post(f"{wire.url}/hook", BODY, HEADERS, test=True)
    assert not any(task.done() for task in stuck)
    assert {type(e) for e in await asyncio.gather(*stuck, return_exceptions=True)} == {Unreachable}


# Who is reached


async def test_without_test_mode_nothing_on_this_machine_is_reached(opened: Any, wire: Any) -> None:
    wire.on("POST /hook")
    for http, test in ((opened(), False), (opened(loopback=False), True)):
        with pytest.raises(Refused):
            await http.post(f"{wire.url}/hook", BODY, HEADERS, test=test)
    assert (wire.seen, wire.connections) == ([], 0)


def test_an_endpoint_to_be_added_is_judged_by_its_url_alone() -> None:
    assert check_url("http://localhost:3000/hook", test=True).port == 3000
    for url, test in (("http://localhost:3000/hook", False), ("https://10.0.0.1/", True)):
        with pytest.raises(Refused):
            check_url(url, test=test)


@pytest.mark.parametrize(
    "answer",
    [
        ["127.0.0.1"], ["::1"], [PUBLIC, "10.0.0.1"], ["fe80::1%2"], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"],
        ["2002:7f00:1::"], ["169.254.169.254"], ["0.0.0.0"], [OTHER, PUBLIC, "100.64.0.1"], ["fd00:ec2::254"],
        ["2001:0:7f00:1::"],
    ],
)  # fmt: skip
async def test_a_name_with_any_inner_address_is_refused(opened: Any, answer: list[str]) -> None:
    sockets = Sockets()
    with pytest.raises(Refused, match="which is not a public address"):
        await opened(resolver=Dns(answer), sockets=sockets).post("https://shop.com/", BODY, HEADERS, test=True)
    assert sockets.dialled == []


async def test_rebinding_dns_is_asked_once_and_the_judged_address_is_dialled(opened: Any) -> None:
    dns, sockets = Dns([PUBLIC], ["127.0.0.1"]), Sockets()
    http = opened(resolver=dns, sockets=sockets)
    for _ in range(2):
        with pytest.raises(Unreachable):
            await http.post("https://shop.com/", BODY, HEADERS, test=False)
    assert (dns.asked, sockets.dialled) == (1, [PUBLIC, PUBLIC])


async def test_a_name_that_moves_inside_later_is_refused_then(opened: Any) -> None:
    dns, sockets = Dns([PUBLIC], ["127.0.0.1"]), Sockets()
    http = opened(resolver=dns, sockets=sockets)
    with pytest.raises(Unreachable):
        await http.post("https://shop.com/", BODY, HEADERS, test=False)
    with clock.travelled(timedelta(seconds=31)), pytest.raises(Refused):
        await http.post("https://shop.com/", BODY, HEADERS, test=False)
    assert sockets.dialled == [PUBLIC]


async def test_a_hundred_calls_ask_for_a_name_once(opened: Any) -> None:
    dns = Dns([PUBLIC])
    http = opened(resolver=dns, sockets=Sockets())
    calls = [http.post("https://shop.com/", BODY, HEADERS, test=False) for _ in range(100)]
    assert {type(e) for e in await asyncio.gather(*calls, return_exceptions=True)} == {Unreachable}
    assert dns.asked == 1


async def test_a_name_that_hangs_ends_in_time_and_one_without_addresses_says_so(opened: Any) -> None:
    hangs, none = Dns([PUBLIC]), Dns([])
    hangs.hangs = True
    for dns, kind in ((hangs, "timeout"), (none, "unresolved")):
        with pytest.raises(Unreachable) as failed:
            await opened(resolver=dns, total_seconds=0.2).post("https://shop.com/", BODY, HEADERS, test=False)
        assert failed.value.kind == kind


# TLS


async def test_tls_verifies_the_name_while_the_address_is_pinned(
    opened: Any, wire: Any, paper: Paper, secured: Any
) -> None:
    wire.on("POST /hook", b"good")
    sockets = Sockets(await secured(paper.server("hooks.shop.com")))
    http = opened(resolver=Dns([PUBLIC]), sockets=sockets, trust=paper.trust)
    for _ in range(2):
        reply = await http.post("https://hooks.shop.com/hook", BODY, HEADERS, test=False)
        assert (reply.status, reply.body, reply.address) == (200, b"good", PUBLIC)
    assert (wire.last.headers["host"], sockets.dialled) == ("hooks.shop.com", [PUBLIC])


async def test_a_connection_to_one_name_is_never_used_for_another_at_the_same_address(
    opened: Any, wire: Any, paper: Paper, secured: Any
) -> None:
    wire.on("POST /hook")
    sockets = Sockets(await secured(paper.server("hooks.shop.com")))
    http = opened(resolver=Dns([PUBLIC]), sockets=sockets, trust=paper.trust)
    await http.post("https://hooks.shop.com/hook", BODY, HEADERS, test=False)
    with pytest.raises(Unreachable, match=r"certificate is not valid for 'hooks\.other\.com'") as failed:
        await http.post("https://hooks.other.com/hook", BODY, HEADERS, test=False)
    assert (failed.value.kind, len(wire.seen)) == ("tls", 1)


@pytest.mark.parametrize("case", ["another name", "expired", "nobody's"])
async def test_a_bad_certificate_is_refused_and_nothing_is_sent(
    opened: Any, wire: Any, paper: Paper, secured: Any, case: str
) -> None:
    server = (
        paper.server("other.com")
        if case == "another name"
        else paper.server("shop.com", days=-1 if case == "expired" else 1)
    )
    sockets = Sockets(await secured(server))
    trust = None if case == "nobody's" else paper.trust
    with pytest.raises(Unreachable, match="The certificate was not accepted") as failed:
        await opened(resolver=Dns([PUBLIC, OTHER]), sockets=sockets, trust=trust).post(
            "https://shop.com/", BODY, HEADERS, test=False
        )
    assert (failed.value.kind, wire.seen, sockets.dialled) == ("tls", [], [PUBLIC])


async def test_plain_http_behind_a_tls_port_is_said_so(opened: Any, raw: Any) -> None:
    url = await raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    sockets = Sockets(int(url.strip("/").rpartition(":")[2]))
    with pytest.raises(Unreachable, match=r"^The TLS handshake failed\.$"):
        await opened(resolver=Dns([PUBLIC]), sockets=sockets).post("https://shop.com/", BODY, HEADERS, test=False)
    assert sockets.dialled == [PUBLIC]


async def test_the_next_address_is_tried_where_one_is_dead(opened: Any, wire: Any, paper: Paper, secured: Any) -> None:
    wire.on("POST /hook")
    sockets = Sockets(await secured(paper.server("shop.com")))
    sockets.dead = {PUBLIC}
    http = opened(resolver=Dns([PUBLIC, OTHER]), sockets=sockets, trust=paper.trust)
    reply = await http.post("https://shop.com/hook", BODY, HEADERS, test=False)
    assert (reply.address, sockets.dialled) == (OTHER, [PUBLIC, OTHER])


# The log


async def test_a_call_is_one_line_without_path_query_body_or_headers(
    http: MerchantHttp, wire: Any, caplog: Any
) -> None:
    caplog.set_level(logging.DEBUG)
    wire.on("POST /hook/T0CANARY")
    await http.post(f"{wire.url}/hook/T0CANARY?token=canary", b"canary", {"X-Webhook-Signature": "canary"}, test=True)
    with pytest.raises(Refused):
        await http.post("https://user:canary@shop.com/", b"canary", {}, test=True)
    ours = [record for record in caplog.records if record.name == "bitloot.merchants"]
    assert [record.getMessage() for record in ours] == ["merchants.post answered", "merchants.post refused"]
    assert "canary" not in str([vars(record) for record in caplog.records]).lower()
