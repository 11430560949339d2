"""The sandbox as a real process: killed, it forgets nothing; hanging up, it sends not one byte."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from dev.embedded import free_port
from dev.sandbox.kinguin.products import CATALOGUE
from dev.stack import SANDBOX

pytestmark = pytest.mark.processes
ROOT = Path(__file__).parents[2]
ASKED = {"price_amount": 25, "price_currency": "usd", "pay_currency": "btc", "order_id": "o-1"}


Start = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def start(tmp_path: Path, port: int) -> Iterator[Start]:
    """Starts the sandbox on the same books; whatever still runs is stopped at the end."""
    env = os.environ | {"BITLOOT_VAR": str(tmp_path), "SANDBOX_PORT": str(port), "PORT": str(free_port())}
    command = [sys.executable, "-m", *SANDBOX.split(), "--port", str(port)]
    started: list[subprocess.Popen[bytes]] = []

    def run() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        started.append(process)
        wait_until_up(port, process)
        return process

    yield run
    for process in started:
        process.kill()
        process.wait()


def wait_until_up(port: int, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        assert process.poll() is None
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the sandbox did not come up")


def test_a_killed_sandbox_goes_on_where_it_was(start: Start, port: int) -> None:
    process = start()
    now = {"x-api-key": "sandbox-nowpayments-key"}
    kinguin = {"x-api-key": "sandbox-kinguin-key"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        client.post("/sandbox/api/settings", json={"deliveryDelay": 1, "ipnRetryInterval": 60})
        made = client.post("/nowpayments/v1/payment", json=ASKED, headers=now).json()
        client.post(f"/sandbox/api/payments/{made['payment_id']}/pay", json={"case": "finished"})
        row = {"productId": CATALOGUE[0].product_id, "qty": 1, "price": 50}
        order = client.post("/kinguin/esa/api/v2/order", json={"products": [row]}, headers=kinguin).json()
        process.kill()
        process.wait()
    start()
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        seen = client.get(f"/nowpayments/v1/payment/{made['payment_id']}", headers=now).json()
        assert seen["payment_status"] == "finished"
        assert client.get("/kinguin/esa/api/v1/balance", headers=kinguin).json() == {"balance": 99987.51}
        notices = {it["title"]: it["state"] for it in client.get("/sandbox/api/webhooks").json()}
        assert notices[f"{made['payment_id']} finished"] == "queued"
        deadline = time.monotonic() + 15
        path = f"/kinguin/esa/api/v1/order/{order['orderId']}"
        while client.get(path, headers=kinguin).json()["status"] != "completed":
            assert time.monotonic() < deadline, "the delivery that was due never came"


def test_hanging_up_sends_no_byte_and_keeps_the_effect(start: Start, port: int) -> None:
    start()
    headers = {"x-api-key": "sandbox-nowpayments-key"}
    fault = {"provider": "nowpayments", "mode": "timeout_after_effect", "count": 2, "path": "/payment", "seconds": 0.2}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
        client.post("/sandbox/api/faults", json=fault)
        with pytest.raises(httpx.RemoteProtocolError, match="without sending a response"):
            client.post("/nowpayments/v1/payment", json=ASKED, headers=headers)
        with pytest.raises(httpx.ReadTimeout):
            client.post("/nowpayments/v1/payment", json=ASKED, headers=headers, timeout=0.05)
        assert client.post("/nowpayments/v1/payment", json=ASKED, headers=headers).status_code == 201
        assert len(client.get("/sandbox/api/payments").json()) == 3
