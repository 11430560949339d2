"""``bitloot webhooks listen`` and ``check``: for whoever builds the receiver of a merchant's webhooks."""

import asyncio
import base64
import binascii
import os
import sys
from contextlib import suppress

import click

from app.core import clock, log
from app.core.crypto import Plaintext
from app.core.settings import settings
from app.providers.errors import KeyRefused, ProviderDown, ProviderRefused
from app.providers.event_feed import EventFeed, FedEvent
from app.providers.merchant_addresses import LOOPBACK, read_url
from app.providers.merchant_http import MerchantHttp, Refused, Unreachable
from app.webhooks import secrets, signing
from app.webhooks.grading import Exam

PAUSE = 1.0  # seconds between two looks at a feed with nothing new
PATIENCE = 2.0  # seconds before an API that is away is asked again
LEAST_SECRET = 24  # bytes, of Standard Webhooks


class SigningSecret(click.ParamType[Plaintext]):
    name = "whsec_…"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> Plaintext:
        text = str(value)
        raw = b""
        if text.startswith(secrets.PREFIX):
            with suppress(binascii.Error, ValueError):
                raw = base64.b64decode(text.removeprefix(secrets.PREFIX), validate=True)
        if len(raw) < LEAST_SECRET:
            self.fail(f"It begins with {secrets.PREFIX} and goes on with base64, as the page of the endpoint shows it.")
        return Plaintext(text.encode())


@click.command("listen", short_help="Forward test events to a port of this machine.")
@click.option("--key", envvar="BITLOOT_API_KEY", required=True, help="A test key, bl_test_…, with events:read.")
@click.option("--secret", envvar="BITLOOT_API_SECRET", required=True, help="Its secret, bls_….")
@click.option("--to", required=True, help="Where to: http://127.0.0.1:PORT/path.")
@click.option("--url", help="The shop whose events these are. Without it, FRONTEND_URL.")
@click.option("--after", type=int, help="The number of the last event seen. Without it, only new ones come.")
@click.option("--signing-secret", type=SigningSecret(), envvar="BITLOOT_WEBHOOK_SECRET", help="Instead of a new one.")
def listen(
    key: str, secret: str, to: str, url: str | None, after: int | None, signing_secret: Plaintext | None
) -> None:
    """Forward every test event to --to as it happens, signed as the real ones are. Ctrl-C ends it."""
    if not key.startswith("bl_test_"):
        raise click.BadParameter("only events of test mode are forwarded: use a key that begins with bl_test_")
    _check_target(to)
    log.set_up("ERROR", "cli")  # what goes wrong is said in our own lines
    if signing_secret is None:
        text = secrets.PREFIX + base64.b64encode(os.urandom(secrets.SECRET_BYTES)).decode()
        signing_secret = Plaintext(text.encode())
        click.echo(f"Signing secret, for this run: {text}")
    listener = Listener(EventFeed(url or settings().frontend_url, key, secret), to, signing_secret)
    try:
        asyncio.run(listener.follow(after))
    except KeyboardInterrupt:
        click.echo(f"Ended. To go on from here: --after {listener.last}")
    except (KeyRefused, ProviderRefused) as refused:
        raise click.ClickException(f"The feed can't be read: {refused.detail}") from None


class Listener:
    """Follows a feed and forwards what comes, in its order. ``last``: the number of the last event forwarded."""

    def __init__(self, feed: EventFeed, to: str, secret: Plaintext) -> None:
        self._feed, self._to, self._secret = feed, to, secret
        self._http = MerchantHttp(loopback=True)
        self.last, self._away = 0, False

    async def follow(self, after: int | None) -> None:
        """Never returns. What comes while the API or the network is away comes later."""
        try:
            self.last = await self._end() if after is None else after
            click.echo(f"Forwarding events after number {self.last} to {self._to}")
            while True:
                await self._look(forward=True)
        finally:
            await self._feed.aclose()
            await self._http.aclose()

    async def _end(self) -> int:
        while await self._look(forward=False):
            pass
        return self.last

    async def _look(self, *, forward: bool) -> bool:
        """One page of the feed; whether there is more at once."""
        try:
            page = await self._feed.after(self.last)
        except ProviderDown as down:
            if not self._away:
                click.echo(f"The API is away ({down.detail}); it is asked again until it is back.", err=True)
            self._away = True
            await asyncio.sleep(max(PATIENCE, down.retry_after or 0))
            return True
        self._away = False
        for event in page.events if forward else ():
            await self._forward(event)
            self.last = event.number
        self.last = page.last
        if forward and not page.more:
            await asyncio.sleep(PAUSE)
        return page.more

    async def _forward(self, event: FedEvent) -> None:
        signed = signing.headers(event.id, clock.now(), event.body, [self._secret])
        try:
            reply = await self._http.post(
                self._to, event.body, {"content-type": "application/json"} | signed, test=True
            )
            said = f"{reply.status} in {reply.ms} ms"
        except Unreachable as away:
            said = away.why
        click.echo(f"{event.number:>6}  {event.type:20} {event.id}  {said}")


@click.command("check", short_help="Grade a receiver of webhooks.")
@click.argument("url")
@click.option(
    "--secret", type=SigningSecret(), envvar="BITLOOT_WEBHOOK_SECRET", required=True, help="The one it checks with."
)
@click.option("--simple", is_flag=True, help="It checks X-Webhook-Signature alone, so it can't tell stale deliveries.")
def check(url: str, secret: Plaintext, simple: bool) -> None:
    """Send URL good deliveries and bad ones, and grade what it does. Ends with 1 where it fails a check.

    URL is https, or http on this machine. The events sent are of made-up orders in test mode.
    """
    log.set_up("ERROR", "cli")
    failed = asyncio.run(_grade(url, secret, simple))
    sys.exit(1 if failed else 0)


async def _grade(url: str, secret: Plaintext, simple: bool) -> int:
    http, count, failed = MerchantHttp(loopback=True), 0, 0
    try:
        async for verdict in Exam(http, url, secret, simple=simple).verdicts():
            count, failed = count + 1, failed + (not verdict.passed)
            click.echo(f"{'pass' if verdict.passed else 'FAIL'}  {verdict.name:42} {verdict.said}")
    except Refused as refused:
        raise click.ClickException(refused.why) from None
    finally:
        await http.aclose()
    click.echo(f"{count - failed} of {count} passed.")
    return failed


def _check_target(to: str) -> None:
    try:
        target = read_url(to, loopback=True)
    except Refused as refused:
        raise click.BadParameter(refused.why, param_hint="--to") from None
    if target.host not in LOOPBACK:
        raise click.BadParameter("events are forwarded to this machine only", param_hint="--to")
