"""All providers of this deployment, chosen by settings and opened once a process. The sandbox is a URL, not a mode."""

import asyncio
import importlib
from dataclasses import dataclass, fields

import httpx

from app.core import metrics
from app.core.settings import Settings
from app.providers.errors import ProviderError
from app.providers.kinguin import Kinguin
from app.providers.merchant_http import MerchantHttp
from app.providers.nowpayments import NowPayments
from app.providers.nowpayments_payouts import Payouts
from app.providers.rates import Rates
from app.providers.resend import Resend
from app.providers.storage import LocalStore, ObjectStore

PATIENCE = 5.0  # seconds for a provider's word that it is up


@dataclass(frozen=True, slots=True)
class Providers:
    """The outside world as this process sees it."""

    nowpayments: NowPayments
    payouts: Payouts
    kinguin: Kinguin
    rates: Rates
    resend: Resend
    merchants: MerchantHttp
    store: ObjectStore

    async def answers(self, provider: str) -> bool:
        """Whether a supplier, ``nowpayments`` or ``storage`` answers just now, asked about no order at all."""
        client = self.store if provider == "storage" else getattr(self, provider)
        try:
            async with asyncio.timeout(PATIENCE):
                await client.health()
        except (ProviderError, TimeoutError):
            return False
        return True

    async def aclose(self) -> None:
        for field in fields(self):
            await getattr(self, field.name).aclose()


def open_providers(s: Settings, *, transport: httpx.AsyncBaseTransport | None = None) -> Providers:
    """Every provider, from settings; ``transport`` stands in for the network in tests."""
    return Providers(
        nowpayments=NowPayments(
            s.nowpayments_base_url,
            s.nowpayments_api_key.get_secret_value(),
            transport=transport,
            observer=_observe,
        ),
        payouts=Payouts(
            s.nowpayments_base_url,
            s.nowpayments_api_key.get_secret_value(),
            email=s.nowpayments_email,
            password=s.nowpayments_password.get_secret_value(),
            transport=transport,
            observer=_observe,
        ),
        kinguin=Kinguin(
            s.kinguin_base_url, s.kinguin_api_key.get_secret_value(), transport=transport, observer=_observe
        ),
        rates=Rates(s.rates_base_url, transport=transport, observer=_observe),
        resend=Resend(s.resend_base_url, s.resend_api_key.get_secret_value(), transport=transport, observer=_observe),
        merchants=MerchantHttp(loopback=not s.production, observer=_observe),
        store=open_store(s),
    )


def open_store(s: Settings) -> ObjectStore:
    """R2 where it is set, else a folder of ours. boto3 is loaded only where it is used: it costs 30 MB."""
    if not s.uses_r2:
        return LocalStore(s.bitloot_var / "blobs", s.jwt_secret.get_secret_value(), s.frontend_url, observer=_observe)
    s3 = importlib.import_module("app.providers.storage_s3")
    store: ObjectStore = s3.S3Store(
        endpoint=s.r2_endpoint,
        bucket=s.r2_bucket,
        access_key_id=s.r2_access_key_id.get_secret_value(),
        secret_access_key=s.r2_secret_access_key.get_secret_value(),
        observer=_observe,
    )
    return store


def _observe(provider: str, call: str, outcome: str, seconds: float) -> None:
    metrics.PROVIDER_CALLS.labels(provider, call, outcome).observe(seconds)
