"""What the sandbox takes from the environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Config:
    """Addresses and secrets, equal to those the shop is given.

    `shop_url` has no trailing slash. An empty `kinguin_signature_secret` leaves `X-KINGUIN-SIGNATURE` out;
    an empty `resend_webhook_secret` means that no mail events are sent. `store_url`: the S3 server behind `/store`.
    `peers`: hosts of a private network that notices may go to, beside this machine. `mails_kept`:
    older mails are forgotten, and with them their idempotency keys.
    """

    books_path: Path
    own_url: str
    shop_url: str
    nowpayments_api_key: str
    nowpayments_ipn_secret: str
    nowpayments_totp_secret: str
    kinguin_api_key: str
    kinguin_webhook_secret: str
    kinguin_signature_secret: str
    resend_api_key: str
    resend_webhook_secret: str
    store_url: str = ""
    mails_kept: int = 2_000
    peers: frozenset[str] = frozenset()


def from_environment(env: Mapping[str, str] = os.environ) -> Config:
    """Read the settings; each has a default with which shop and sandbox find each other on one machine."""

    def setting(name: str, default: str) -> str:
        return env.get(name) or default

    shop = setting("WEBHOOK_BASE_URL", f"http://127.0.0.1:{setting('PORT', '8000')}")
    return Config(
        books_path=Path(setting("BITLOOT_VAR", "var")) / "sandbox" / "books.sqlite3",
        own_url=f"http://127.0.0.1:{setting('SANDBOX_PORT', '8010')}",
        shop_url=shop.rstrip("/"),
        nowpayments_api_key=setting("NOWPAYMENTS_API_KEY", "sandbox-nowpayments-key"),
        nowpayments_ipn_secret=setting("NOWPAYMENTS_IPN_SECRET", "sandbox-ipn-secret"),
        nowpayments_totp_secret=setting("NOWPAYMENTS_TOTP_SECRET", "ONQW4ZDCN54C25DPORYA"),
        kinguin_api_key=setting("KINGUIN_API_KEY", "sandbox-kinguin-key"),
        kinguin_webhook_secret=setting("KINGUIN_WEBHOOK_SECRET", "sandbox-kinguin-webhook-secret"),
        kinguin_signature_secret=setting("KINGUIN_SIGNATURE_SECRET", ""),
        resend_api_key=setting("RESEND_API_KEY", "sandbox-resend-key"),
        resend_webhook_secret=setting("RESEND_WEBHOOK_SECRET", ""),
        store_url=setting("SANDBOX_STORE_URL", ""),
        mails_kept=int(setting("SANDBOX_MAILS_KEPT", "2000")),
        peers=frozenset(filter(None, setting("SANDBOX_PEERS", "").split(","))),
    )
