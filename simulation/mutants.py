"""Bugs to be planted, to see that the simulation finds them."""

from collections.abc import Callable

from simulation.world import World

MUTANTS: dict[str, Callable[[World], None]] = {}


def apply(name: str, world: World) -> None:
    """Plant the bug of this name, if one is named."""
    if name:
        MUTANTS[name](world)
