"""``bitloot webhooks check`` and ``listen`` as a merchant's developer types them."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import pytest_asyncio
from standardwebhooks import Webhook

from app.contract.event_guide import EVENTS
from tests.conftest import ROOT
from tests.providers.conftest import ScriptedServer
from tests.webhooks.receivers import SECRET, receiving

FEED = "GET /api/v1/events"
KEYS = ("--key", "bl_test_canary1", "--secret", "bls_canary2")


def page(*numbers: int, last: int, more: bool = False) -> str:
    events = [list(EVENTS.values())[n % len(EVENTS)].payload | {"id": f"e{n}", "number": n} for n in numbers]
    return json.dumps({"data": events, "next": last, "more": more})


@pytest_asyncio.fixture(loop_scope="session")
async def feed() -> AsyncIterator[ScriptedServer]:
    made = ScriptedServer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()
    await made.close()


class Listening:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process, self.lines = process, list[str]()

    async def until(self, enough: Callable[[list[str]], bool]) -> list[str]:
        async with asyncio.timeout(30):
            while not enough(self.lines):
                assert self.process.stdout is not None
                line = await asyncio.to_thread(self.process.stdout.readline)
                assert line, (self.lines, await self.ended())
                self.lines.append(line.rstrip())
        return self.lines

    async def ended(self) -> tuple[int, str]:
        """Its exit code, and all that it said on stderr."""
        assert self.process.stderr is not None
        said = await asyncio.to_thread(self.process.stderr.read)
        return await asyncio.to_thread(self.process.wait, 20), said


@asynccontextmanager
async def listening(*words: str, keys: tuple[str, ...] = KEYS) -> AsyncIterator[Listening]:
    command = [sys.executable, "-m", "app.cli", "webhooks", "listen", *keys, *words]
    pipe = subprocess.PIPE
    process = await asyncio.to_thread(subprocess.Popen, command, cwd=ROOT, stdout=pipe, stderr=pipe, text=True)
    with process:
        try:
            yield Listening(process)
        finally:
            process.kill()


async def test_new_events_are_forwarded_in_order_with_true_signatures_until_ctrl_c(feed: ScriptedServer) -> None:
    feed.on(FEED, page(1, 2, last=2, more=True)).on(FEED, page(3, last=3))
    feed.on(FEED, page(4, 5, last=5, more=True)).on(FEED, page(6, last=6)).on(FEED, page(last=6))
    with receiving("trusting") as receiver:
        async with listening("--url", feed.url, "--to", receiver.url) as run:
            lines = await run.until(lambda lines: len(lines) >= 5)
            run.process.send_signal(signal.SIGINT)
            lines = await run.until(lambda lines: len(lines) >= 6)
            code, said = await run.ended()
            assert (code, "Traceback" in said) == (0, False)
        secret = lines[0].removeprefix("Signing secret, for this run: ")
        got = [Webhook(secret).verify(body, headers) for headers, body in receiver.seen]
    assert [(event["id"], "number" in event) for event in got] == [("e4", False), ("e5", False), ("e6", False)]
    assert got[0] == list(EVENTS.values())[4].payload | {"id": "e4"}
    assert lines[1] == f"Forwarding events after number 3 to {receiver.url}"
    assert [(line.split()[0], line.split()[2], "200 in" in line) for line in lines[2:5]] == [
        ("4", "e4", True), ("5", "e5", True), ("6", "e6", True),
    ]  # fmt: skip
    assert lines[5] == "Stopped. To continue from here: --after 6"
    assert [request.query["after"] for request in feed.seen][:4] == ["0", "2", "3", "5"]
    assert (feed.last.headers["x-api-key"], feed.last.headers["x-api-secret"]) == ("bl_test_canary1", "bls_canary2")
    assert "bls_canary2" not in "\n".join(lines)


async def test_it_goes_on_from_a_number_under_a_secret_of_ones_own_and_past_a_receiver_that_fails(
    feed: ScriptedServer,
) -> None:
    feed.on(FEED, page(8, 9, last=9)).on(FEED, page(last=9))
    with receiving("refuses duplicates") as receiver:
        receiver._ids.add("e8")
        words = ("--after", "7", "--signing-secret", SECRET)
        async with listening("--url", feed.url, "--to", receiver.url, *words) as run:
            lines = await run.until(lambda lines: len(lines) >= 3)
    assert feed.seen[0].query["after"] == "7"
    assert "409 in" in lines[1]
    assert "200 in" in lines[2]
    assert SECRET not in "\n".join(lines)


async def test_an_api_that_is_away_is_asked_again_and_nothing_is_lost(feed: ScriptedServer) -> None:
    feed.on(FEED, b"<html>gone fishing</html>", 503, headers={"Retry-After": "0"}).on(FEED, page(1, last=1))
    feed.on(FEED, page(last=1))
    with receiving() as receiver:
        words = ("--after", "0", "--signing-secret", SECRET)
        async with listening("--url", feed.url, "--to", receiver.url, *words) as run:
            await run.until(lambda lines: "200 in" in lines[-1] if lines else False)
            run.process.kill()
            assert "The API can't be reached" in (await run.ended())[1]
    assert [json.loads(body)["id"] for _, body in receiver.seen] == ["e1"]


async def test_a_key_that_is_refused_ends_it_in_words(feed: ScriptedServer) -> None:
    feed.on(FEED, '{"code":"invalid_api_key","detail":"That key is revoked.","status":401}', 401)
    async with listening("--url", feed.url, "--to", "http://127.0.0.1:9000/") as run:
        assert await run.ended() == (1, "Error: The feed can't be read: That key is revoked.\n")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--key", "bl_live_x", "--secret", "s", "--to", "http://127.0.0.1:9000/"), "only events of test mode"),
        ((*KEYS, "--to", "https://shop.com/"), "to this machine only"),
        ((*KEYS, "--to", "http://10.0.0.1:9000/"), "must begin with https://"),
        ((*KEYS, "--to", "http://127.0.0.1:9000/", "--signing-secret", "whsec_eA=="), "followed by base64"),
    ],
)
async def test_what_cannot_be_listened_to_is_said_at_once(bitloot: Any, words: tuple[str, ...], said: str) -> None:
    done = await bitloot("webhooks", "listen", *words)
    assert (done.returncode, said in " ".join(done.stderr.split())) == (2, True)


async def test_check_prints_a_verdict_a_line_and_ends_with_0_or_1(bitloot: Any) -> None:
    with receiving() as good, receiving("timeless") as bad:
        passed, failed = await asyncio.gather(
            *(bitloot("webhooks", "check", one.url, env={"BITLOOT_WEBHOOK_SECRET": SECRET}) for one in (good, bad))
        )
    lines = passed.stdout.splitlines()
    assert (passed.returncode, lines[-1]) == (0, "13 of 13 passed.")
    assert all(line.startswith("pass  ") for line in lines[:-1])
    assert (failed.returncode, failed.stdout.splitlines()[-1]) == (1, "11 of 13 passed.")
    assert [line.split("  ")[1] for line in failed.stdout.splitlines() if line.startswith("FAIL")] == [
        "refuses a stale timestamp", "refuses a timestamp of the future",
    ]  # fmt: skip


async def test_check_of_a_url_nobody_may_be_sent_to_is_refused(bitloot: Any) -> None:
    done = await bitloot("webhooks", "check", "http://192.168.1.1/", "--secret", SECRET)
    assert (done.returncode, done.stdout) == (1, "")
    assert "must begin with https://" in done.stderr
