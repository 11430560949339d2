"""``bitloot simulate``, or ``python -m dev.simulation --seed 7 --orders 1000``."""

import asyncio
import os
import secrets
import sys
import time

import click

from dev.simulation import environment, report


@click.command()
@click.option("--seed", type=int, default=None, help="What decides everything; drawn and printed if not given.")
@click.option("--orders", default=1000, show_default=True)
@click.option("--mutant", type=click.Choice(environment.MUTANTS), default=None, help="Plant this bug.")
@click.option("--trace", default="", help="A file for the whole history; of several worlds, the last one's.")
@click.option("--processes", default=os.cpu_count() or 1, show_default=True)
def main(seed: int | None, orders: int, mutant: str | None, trace: str, processes: int) -> None:
    """Play orders through a world of faults and judge what came of them; 1 if an invariant does not hold."""
    seed = secrets.randbelow(2**31) if seed is None else seed
    began = time.monotonic()
    outcomes = asyncio.run(environment.run(environment.scenarios(seed, orders, mutant or "", trace), processes))
    click.echo(report.text(seed, outcomes, time.monotonic() - began))
    sys.exit(1 if any(outcome.violations for outcome in outcomes) else 0)


if __name__ == "__main__":
    main(prog_name="bitloot simulate")
