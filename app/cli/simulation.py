"""``bitloot simulate``."""

import subprocess
import sys

import click


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
    short_help="Simulate orders while everything fails at random, by a seed.",
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED)
def simulate(options: tuple[str, ...]) -> None:
    """Simulate orders while everything fails at random, by a seed; ``--help`` lists the options."""
    # A process of its own: the simulation stands above this floor, and replaces what this process runs on.
    done = subprocess.run([sys.executable, "-W", "ignore", "-m", "dev.simulation", *options], check=False)  # noqa: S603
    sys.exit(done.returncode)
