"""The catalog page with 24 products, beside a bare Litestar + Jinja page of the same size; and idle memory."""

import sys

import httpx

from dev.bench.environment import Measured
from dev.bench.load import hammer, request
from dev.bench.report import Row
from dev.embedded import free_port
from dev.environment import answers

COUNT, CONNECTIONS = 1500, 16


async def measure(env: Measured) -> list[Row]:
    await env.start_web()
    idle = env.memory("web")
    async with httpx.AsyncClient() as http:
        page = (await http.get(f"{env.url}/", headers={"accept": "text/html"})).text
    template = env.var / "bare" / "page.html"
    template.parent.mkdir(exist_ok=True)
    card = "<li class='card'><h2>{{ p.name }}</h2><p>{{ p.platform }} {{ p.region }}</p><b>{{ p.price }}</b></li>"
    loop = "{% for p in products %}" + card + "{% endfor %}"
    template.write_text(loop + "{% raw %}" + "x" * max(len(page) - 24 * 110, 0) + "{% endraw %}")
    bare_port = free_port()
    env.variables["BENCH_TEMPLATES"] = str(template.parent)
    await env.start(
        "bare", f"uvicorn dev.bench.bare:create_app --factory --host 127.0.0.1 --port {bare_port} --no-access-log"
    )
    await answers(f"http://127.0.0.1:{bare_port}/")
    one = request("GET", "/", accept="text/html")
    for port in (env.port, bare_port):
        await hammer(port, [one] * 100, CONNECTIONS)
    bare = [await hammer(bare_port, [one] * COUNT, CONNECTIONS)]
    ours = await hammer(env.port, [one] * COUNT, CONNECTIONS)
    bare.append(await hammer(bare_port, [one] * COUNT, CONNECTIONS))
    await env.stop("bare")
    await env.stop("web")
    assert ours.statuses == {200: COUNT}, (ours.statuses, sys.stderr)
    base = sum(b.rate for b in bare) / len(bare)
    kilobytes = len(page) / 1000
    return [
        Row(
            f"Catalog page ({kilobytes:.0f} kB)",
            ours.rate,
            "/s",
            base,
            "bare Litestar + Jinja page",
            0.40,
            ours.rate / base,
        ),
        Row("Web process, idle", idle, "MB", limit=150),
    ]
