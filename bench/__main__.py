"""``make bench``, or ``python -m bench ipn catalog`` for some of it."""

import importlib
import sys
import warnings

import uvloop

from bench.town import town

MEASUREMENTS = ("ipn", "refused", "orders", "catalog", "live", "crowd", "latency", "pipeline", "deliveries", "payments")


async def main(names: list[str]) -> None:
    print(f"{'figure':34} {'ours':>10} {'':6} {'share':>8}  {'aim':28} {'floor':>10}", flush=True)
    async with town() as made:
        for name in names:
            await made.forget_jobs()
            # Each module is loaded only once the settings are in the environment.
            for row in await importlib.import_module(f"bench.{name}").measure(made):
                print(row.line(), flush=True)


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    uvloop.run(main(sys.argv[1:] or list(MEASUREMENTS)))
