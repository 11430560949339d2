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
from app.core.i18n import _
from app.core.settings import settings
from app.providers.errors import ApiKeyRejected, ProviderDown, ProviderRefused
from app.providers.event_feed import EventFeed, FedEvent
from app.providers.merchant_addresses import LOOPBACK, read_url
from app.providers.merchant_http import MerchantHttp, Refused, Unreachable
from app.webhooks import secrets, signing
from app.webhooks.conformance import ConformanceCheck

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
            self.fail(_("It is %(prefix)s followed by base64, as shown on the endpoint's page.", prefix=secrets.PREFIX))
        return Plaintext(text.encode())


@click.command("listen", short_help="Forward test events to a port on this machine.")
@click.option("--key", envvar="BITLOOT_API_KEY", required=True, help="A test key, bl_test_…, with events:read.")
@click.option("--secret", envvar="BITLOOT_API_SECRET", required=True, help="Its secret, bls_….")
@click.option("--to", required=True, help="The URL to forward to: http://127.0.0.1:PORT/path.")
@click.option("--url", help="The address of the shop. Default: FRONTEND_URL.")
@click.option("--after", type=int, help="The number of the last event you have. Default: only new events.")
@click.option(
    "--signing-secret",
    type=SigningSecret(),
    envvar="BITLOOT_WEBHOOK_SECRET",
    help="A signing secret to use instead of a new one.",
)
def listen(
    key: str, secret: str, to: str, url: str | None, after: int | None, signing_secret: Plaintext | None
) -> None:
    """Forward every test event to --to as it happens, signed like the real ones. Ctrl-C stops it."""
    if not key.startswith("bl_test_"):
        raise click.BadParameter(_("only events of test mode are forwarded: use a key that begins with bl_test_"))
    _check_target(to)
    log.set_up("ERROR", "cli")  # what goes wrong is said in our own lines
    if signing_secret is None:
        text = secrets.PREFIX + base64.b64encode(os.urandom(secrets.SECRET_BYTES)).decode()
        signing_secret = Plaintext(text.encode())
        click.echo(_("Signing secret, for this run: %(secret)s", secret=text))
    listener = Listener(EventFeed(url or settings().frontend_url, key, secret), to, signing_secret)
    try:
        asyncio.run(listener.follow(after))
    except KeyboardInterrupt:
        click.echo(_("Stopped. To continue from here: --after %(last)s", last=listener.last))
    except (ApiKeyRejected, ProviderRefused) as refused:
        raise click.ClickException(_("The feed can't be read: %(detail)s", detail=refused.detail)) from None


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
            click.echo(_("Forwarding events after number %(last)s to %(to)s", last=self.last, to=self._to))
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
                click.echo(
                    _("The API can't be reached (%(detail)s). Trying again until it is back.", detail=down.detail),
                    err=True,
                )
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
            said = _("%(status)s in %(ms)s ms", status=reply.status, ms=reply.ms)
        except Unreachable as away:
            said = away.why
        click.echo(f"{event.number:>6}  {event.type:20} {event.id}  {said}")


@click.command("check", short_help="Grade a receiver of webhooks.")
@click.argument("url")
@click.option(
    "--secret",
    type=SigningSecret(),
    envvar="BITLOOT_WEBHOOK_SECRET",
    required=True,
    help="The signing secret that the receiver checks with.",
)
@click.option(
    "--simple", is_flag=True, help="The receiver only checks X-Webhook-Signature, so it can't detect old deliveries."
)
def check(url: str, secret: Plaintext, simple: bool) -> None:
    """Send good and bad deliveries to URL and grade its answers. Exits with 1 if a check fails.

    URL is https, or http on this machine. The events sent are of made-up orders in test mode.
    """
    log.set_up("ERROR", "cli")
    failed = asyncio.run(_grade(url, secret, simple))
    sys.exit(1 if failed else 0)


async def _grade(url: str, secret: Plaintext, simple: bool) -> int:
    http, count, failed = MerchantHttp(loopback=True), 0, 0
    try:
        async for verdict in ConformanceCheck(http, url, secret, simple=simple).verdicts():
            count, failed = count + 1, failed + (not verdict.passed)
            click.echo(f"{'pass' if verdict.passed else 'FAIL'}  {verdict.name:42} {verdict.said}")
    except Refused as refused:
        raise click.ClickException(refused.why) from None
    finally:
        await http.aclose()
    click.echo(_("%(passed)s of %(count)s passed.", passed=count - failed, count=count))
    return failed


def _check_target(to: str) -> None:
    try:
        target = read_url(to, loopback=True)
    except Refused as refused:
        raise click.BadParameter(refused.why, param_hint="--to") from None
    if target.host not in LOOPBACK:
        raise click.BadParameter(_("events are forwarded to this machine only"), param_hint="--to")
