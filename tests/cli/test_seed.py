"""``bitloot seed`` and ``bitloot catalog sync``"""

from app.accounts import service as accounts
from app.core import db

PASSWORD = "the first password, long"


async def test_seeding_hires_the_first_admin_once_and_keeps_the_password(app, bitloot) -> None:
    assert (await bitloot("seed", env={"ADMIN_PASSWORD": PASSWORD})).returncode == 0
    assert (await bitloot("seed", env={"ADMIN_PASSWORD": "quite another password"})).returncode == 0
    assert await accounts.log_in("admin@bitloot.localhost", PASSWORD)
    assert await db.fetch_value("SELECT count(*) FROM admin") == 1


async def test_a_sync_brings_prices_back_in_step(app, bitloot) -> None:
    known = await db.fetch("SELECT id, price, stock FROM product WHERE active ORDER BY id")
    await db.fetch("UPDATE product SET price = 0.01, stock = 0, updated_at = now()")
    done = await bitloot("catalog", "sync")
    assert (done.returncode, done.stdout) == (0, f"{len(known)} products.\n")
    assert await db.fetch("SELECT id, price, stock FROM product WHERE active ORDER BY id") == known
