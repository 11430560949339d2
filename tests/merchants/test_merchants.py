"""Founding and closing merchants, and where their pages may embed the checkout."""

import pytest

from app.core.ids import new_id
from app.merchants import queries, service
from app.merchants.service import BadMerchant, BadOrigin, NoSuchMerchant
from tests.builders import count, rows

HOSTILE = [
    "", "*", "https://*.shop.example", "http://shop.example", "ftp://shop.example", "//shop.example", "shop.example",
    "https://shop.example/path", "https://shop.example?x", "https://shop.example#x", "https://a@shop.example",
    "https://a:b@shop.example", "https://shop.example:99999", "https://shop.example:x", "https://shöp.example",
    "https://shop.example evil.example", "https://shop.example;", "https://shop.example'", "https://", "null",
    "javascript:alert(1)", "https://[::1", "https://-shop.example", "https://shop..example", "https://" + "a" * 64,
    "https://shop.example\x00", "https://shop.example, https://evil.example", "http://localhost.evil.example", "data:,",
]  # fmt: skip


async def test_a_merchant_is_founded_and_written_down(app) -> None:
    shop = await service.create_merchant("  Games & Co ", by="admin boss")
    found = await queries.one(shop)
    assert found is not None
    assert (found.name, found.origins, found.closed_at) == ("Games & Co", [], None)
    assert await count("audit_line", "action = 'merchant.founded' AND actor = 'admin boss'") == 1
    assert [m.id for m in await queries.page()] == [shop]


@pytest.mark.parametrize("name", ["", "  ", "x" * 101, "a\x00b"])
async def test_a_merchant_without_a_name_is_not(app, name: str) -> None:
    with pytest.raises(BadMerchant):
        await service.create_merchant(name)
    assert await count("merchant") == 0


async def test_origins_are_kept_as_browsers_write_them(app) -> None:
    shop = await service.create_merchant("Games")
    given = ["HTTPS://Shop.Example:443/", "https://shop.example", "https://shop.example:8443", "http://localhost:5000"]
    kept = ["https://shop.example", "https://shop.example:8443", "http://localhost:5000"]
    assert await service.set_origins(shop, given) == kept
    found = await queries.one(shop)
    assert found is not None
    assert found.origins == kept


@pytest.mark.parametrize("text", HOSTILE)
async def test_what_is_no_single_safe_origin_is_refused(app, text: str) -> None:
    shop = await service.create_merchant("Games")
    await service.set_origins(shop, ["https://shop.example"])
    before = await rows()
    with pytest.raises(BadOrigin):
        await service.set_origins(shop, ["https://other.example", text])
    assert await rows() == before


async def test_there_are_so_many_origins_and_only_a_merchants(app) -> None:
    shop = await service.create_merchant("Games")
    with pytest.raises(BadOrigin):
        await service.set_origins(shop, [f"https://s{n}.example" for n in range(21)])
    with pytest.raises(NoSuchMerchant):
        await service.set_origins(new_id(), [])
