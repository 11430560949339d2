"""What a web process and a worker write while a key is bought and revealed: JSON, traceable, and without secrets."""

import asyncio
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.core import db
from dev.stack import read_procfile
from tests.conftest import ROOT, VAR
from tests.web.builders import EMAIL, IPN, compact, csrf_of, product, serials
from tests.web.conftest import Shop
from tests.web.streams import listening

pytestmark = pytest.mark.processes
REQUEST_ID = "the-reveal-of-this-test"


@pytest.fixture
async def crew(app):
    """A shop and a worker that serves it, with their logs."""
    shop = await asyncio.to_thread(Shop, "logged", LOG_LEVEL="DEBUG")
    log = VAR / "worker.log"
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    port = shop.url.rpartition(":")[2]
    env = os.environ | {"PATH": path, "PORT": port, "LOG_LEVEL": "DEBUG", "WORKER_THREADS": "4"}
    with log.open("wb") as out:
        command = f"exec {read_procfile(ROOT / 'Procfile')['worker']}"
        worker = subprocess.Popen(
            command, shell=True, cwd=ROOT, stdout=out, stderr=out, env=env, start_new_session=True
        )
    yield shop, log
    worker.terminate()
    worker.wait(25)
    shop.end()


async def buy(shop, outside, box) -> dict:
    """A purchase from the form to the reveal; returns all that must not be in any log."""
    item = await product(outside_of(outside, shop))
    html = {"accept": "text/html"}
    page = await outside.get(f"{shop.url}/products/{item['slug']}", headers=html)
    csrf = csrf_of(page)
    order = {"email": EMAIL, "items": [{"productId": item["productId"], "quantity": 1}]}
    headers = {"x-csrf-token": csrf}
    placed = (await outside.post(f"{shop.url}/orders", json=order, headers=headers)).json()
    bearer = {"authorization": f"Bearer {placed['accessToken']}"}
    async with listening(f"{shop.url}/orders/{placed['orderId']}/events?after=0", **bearer) as stream:
        kinds = []
        while not kinds or kinds[-1] != "order.waiting":
            kinds += [event["kind"] for event in await stream.news(1, 20)]
        [payment] = await box.payments()
        await box.pay(str(payment["payment_id"]), "success")
        while kinds[-1] != "order.fulfilled":
            kinds += [event["kind"] for event in await stream.news(1, 20)]
    item_id = str(await db.fetch_value("SELECT id FROM order_item"))
    path = f"{shop.url}/fulfillment/{placed['orderId']}"
    marked = bearer | {"x-request-id": REQUEST_ID}
    revealed = await outside.post(f"{path}/reveal", json={"itemId": item_id}, headers=marked)
    assert revealed.status_code == 200
    link = (await outside.get(f"{path}/download-link?itemId={item_id}", headers=bearer)).json()["links"][0]["url"]
    forged = {"x-nowpayments-sig": "0" * 128}
    await outside.post(f"{shop.url}{IPN}", content=compact({"payment_id": 1}), headers=forged)
    login = {"_csrf_token": csrf, "email": EMAIL, "password": "hunter2hunter2"}
    await outside.post(f"{shop.url}/admin/login", data=login)
    return {
        "serial": revealed.json()["keys"][0]["value"],
        "token": placed["accessToken"],
        "cookie": outside.cookies["bitloot_orders"],
        "csrf": csrf,
        "download signature": link.rpartition("=")[2],
        "password": "hunter2hunter2",
        "jwt secret": os.environ["JWT_SECRET"],
        "master key": os.environ["MASTER_KEYS"].partition(":")[2],
        "ipn secret": "sandbox-ipn-secret",
        "kinguin secret": "sandbox-kinguin-webhook-secret",
        "api keys": "sandbox-nowpayments-key",
        "kinguin key": "sandbox-kinguin-key",
        "resend key": "sandbox-resend-key",
    }


def outside_of(outside, shop):
    outside.base_url = shop.url
    return outside


async def test_logs_are_json_with_ids_and_hold_no_secret(crew, outside, box) -> None:
    shop, worker_log = crew
    secrets = await buy(shop, outside, box)
    assert [secrets["serial"]] == await serials(box)
    links = [re.search(r"/links/([\w-]+)", mail["text"]) for mail in await box.mail()]
    secrets |= {f"link {number}": link[1] for number, link in enumerate(links) if link}
    web, worker = shop.log.read_text(), worker_log.read_text()
    for name, secret in secrets.items():
        assert secret not in web, name
        assert secret not in worker, name
    lines = [json.loads(line) for line in web.splitlines()]
    reveal = [line for line in lines if line.get("request_id") == REQUEST_ID and line["event"] == "request"]
    assert [(line["route"], line["status"]) for line in reveal] == [("/fulfillment/{order_id}/reveal", 200)]
    assert [line for line in lines if not {"at", "level", "logger", "event"} <= set(line)] == []
    order_id = str(await db.fetch_value("SELECT id FROM customer_order"))
    jobs = [json.loads(line) for line in worker.splitlines() if line.startswith("{")]
    assert any(line.get("order_id") == order_id and line.get("job_id") for line in jobs)


async def test_nothing_that_is_stored_or_sent_holds_a_key(ready, box, app) -> None:
    [serial] = await serials(box)
    for row in await db.fetch("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'"):
        found = await db.fetch(f'SELECT t::text AS line FROM "{row["name"]}" t')
        assert not any(serial in line["line"] or serial.encode().hex() in line["line"] for line in found), row["name"]
    assert serial not in str(await box.mail())
    blobs = [path.read_bytes() for path in (VAR / "blobs").rglob("*") if path.is_file()]
    assert not any(serial.encode() in blob for blob in blobs)
