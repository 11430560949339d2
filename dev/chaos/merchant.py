"""The server of a merchant: it charges through the API, hangs up, asks again by the same key, asks twice at once."""

import asyncio
import contextlib
import json
import random
import secrets
import sys
from collections import Counter
from typing import Any

import httpx
import msgspec

from dev.chaos.receivers import WANTS, Receivers
from dev.environment import ROOT, Environment

CUT = 0.2  # the share of requests whose first try hangs up before the answer
CUT_AFTER = (0.002, 0.08)  # seconds until it does
TWICE = 0.15  # the share that is sent twice at once
PAUSE = 0.5  # seconds between two tries
AGAIN_LATER = {409: {"request_in_progress"}, 429: None, 500: None, 502: None, 503: None}  # status: codes, or any
HEALS_EVERY = 8.0  # seconds between the merchant's looks at endpoints that were disabled
MODES = ("test", "live")


class Refused(Exception):
    """The API refused a request for what it asks."""

    def __init__(self, status: int, code: str) -> None:
        super().__init__(f"{status} {code}")
        self.code = code


class Request(msgspec.Struct, frozen=True):
    """A POST with an Idempotency-Key: what is sent again, to the letter."""

    mode: str
    path: str
    body: dict[str, Any]


class Accounts(msgspec.Struct, frozen=True):
    """What ``chaos.create_accounts`` prints."""

    merchant: str
    admin: tuple[str, str]
    test: tuple[str, str]
    live: tuple[str, str]


async def create_accounts(env: Environment) -> Accounts:
    """Create a merchant and an admin of this shop."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        "dev.chaos.create_accounts",
        cwd=ROOT,
        env=env.variables,
        stdout=asyncio.subprocess.PIPE,
    )
    said, _ = await process.communicate()
    return msgspec.json.decode(said.splitlines()[-1], type=Accounts)


class Merchant:
    """``sent`` and ``answered`` by Idempotency-Key: the request, and the ids of what it was answered with 201."""

    def __init__(self, env: Environment, accounts: Accounts, seed: int, receivers: Receivers) -> None:
        self.env, self.id, self.receivers = env, accounts.merchant, receivers
        self.sent: dict[str, Request] = {}
        self.answered: dict[str, list[str]] = {}
        self.did = Counter[str]()
        self.refusals = Counter[str]()
        self.endpoints: dict[str, str] = {}  # name: id
        self._keys = {"test": accounts.test, "live": accounts.live}
        self._chance = random.Random(seed)

    async def opens_endpoints(self) -> None:
        """Register each receiver; live mode sends to public addresses alone, so these are of test mode."""
        for name, types in WANTS.items():
            asked = {"url": f"{self.receivers.url}/{name}", "name": name, "types": list(types)}
            made = await self.posts("test", "/webhooks/endpoints", asked)
            self.receivers.secrets[name], self.endpoints[name] = made["secret"], made["id"]

    async def posts(self, mode: str, path: str, body: dict[str, Any], key: str = "") -> dict[str, Any]:
        """Until it is answered for good: the object in the answer. Raises Refused."""
        key = key or secrets.token_hex(16)
        self.sent[key] = Request(mode, path, body)
        self.answered.setdefault(key, [])
        if self._chance.random() < CUT:
            self.did["hung up before the answer"] += 1
            with contextlib.suppress(TimeoutError, httpx.TransportError):
                await asyncio.wait_for(self._send(key), self._chance.uniform(*CUT_AFTER))
        times = 2 if self._chance.random() < TWICE else 1
        self.did["sent twice at once"] += times - 1
        while True:
            answers = await asyncio.gather(*(self._try(key) for _ in range(times)))
            made = [self._read(key, answer) for answer in answers if answer is not None]
            if found := next(filter(None, made), None):
                return found
            times = 1
            self.did["tried again"] += 1
            await asyncio.sleep(PAUSE)

    async def repeats(self, key: str) -> str:
        """Ask once more for what was answered long ago; the id in the answer, or the refusal."""
        while True:
            answer = await self._try(key)
            try:
                if answer is not None and (made := self._read(key, answer)):
                    return str(made["id"])
            except Refused as refused:
                return str(refused)
            await asyncio.sleep(PAUSE)

    async def gets(self, mode: str, path: str) -> dict[str, Any]:
        """As patiently as a person: whatever is not answered with 200 is asked for again."""
        while True:
            with contextlib.suppress(httpx.TransportError):
                answer = await self.env.http.get(f"/api/v1{path}", headers=self._headers(mode))
                if answer.status_code == httpx.codes.OK:
                    return dict(answer.json())
            await asyncio.sleep(PAUSE)

    async def heals_endpoints(self) -> None:
        """Switch on what was switched off for its 410, and have sent again what had failed; until cancelled."""
        while True:
            await asyncio.sleep(HEALS_EVERY)
            await self.heals_once()

    async def heals_once(self, *, anyway: bool = False) -> None:
        """``anyway``: ask for what had failed of endpoints that are on, too."""
        for endpoint_id in self.endpoints.values():
            path = f"/webhooks/endpoints/{endpoint_id}"
            off = (await self.gets("test", path))["disabled"] is not None
            if off:
                self.did["switched an endpoint on again"] += 1
                await self._switch_on(path)
            if off or anyway:
                await self.posts("test", f"{path}/retries", {"since": "2020-01-01T00:00:00Z"})

    async def _switch_on(self, path: str) -> None:
        while True:
            with contextlib.suppress(httpx.TransportError):
                headers = self._headers("test")
                answer = await self.env.http.patch(f"/api/v1{path}", json={"disabled": False}, headers=headers)
                if answer.status_code == httpx.codes.OK:
                    return
            await asyncio.sleep(PAUSE)

    def _headers(self, mode: str) -> dict[str, str]:
        key, secret = self._keys[mode]
        return {"x-api-key": key, "x-api-secret": secret}

    async def _send(self, key: str) -> httpx.Response:
        asked = self.sent[key]
        headers = self._headers(asked.mode) | {"idempotency-key": key, "content-type": "application/json"}
        body = json.dumps(asked.body, indent=self._chance.choice((None, 1)))  # another client, another spelling
        return await self.env.http.post(f"/api/v1{asked.path}", content=body, headers=headers)

    async def _try(self, key: str) -> httpx.Response | None:
        try:
            return await self._send(key)
        except httpx.TransportError:
            return None

    def _read(self, key: str, answer: httpx.Response) -> dict[str, Any] | None:
        """The object, noted under its key; None if the same is to be asked for again."""
        if answer.is_success:
            made = dict(answer.json())
            self.answered[key].append(str(made.get("id", "")))
            return made
        code = answer.json().get("code", "") if "json" in answer.headers.get("content-type", "") else ""
        self.refusals[f"{answer.status_code} {code}".strip()] += 1
        if answer.status_code in AGAIN_LATER:
            codes = AGAIN_LATER[answer.status_code]
            if codes is None or code in codes:
                return None
        raise Refused(answer.status_code, code)
