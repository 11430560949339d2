"""``make bench``, or ``python -m dev.bench ipn catalog`` for some of it."""

import importlib
import sys
import warnings

import uvloop

from dev.bench.environment import opened

MEASUREMENTS = (
    "ipn",
    "refused",
    "orders",
    "catalog",
    "live",
    "many_streams",
    "latency",
    "pipeline",
    "deliveries",
    "payments",
)


async def main(names: list[str]) -> None:
    print(f"{'figure':34} {'ours':>10} {'':6} {'share':>8}  {'aim':28} {'floor':>10}", flush=True)
    async with opened() as made:
        for name in names:
            await made.forget_jobs()
            # Each module is loaded only once the settings are in the environment.
            for row in await importlib.import_module(f"dev.bench.{name}").measure(made):
                print(row.line(), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    uvloop.run(main(sys.argv[1:] or list(MEASUREMENTS)))
