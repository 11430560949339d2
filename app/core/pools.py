"""How many connections each process may hold, so that all together stay within what the database allows. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

RESERVED = 4  # for the release step (its lock and two of its own) and one command beside it


@dataclass(frozen=True, slots=True)
class Role:
    """A kind of process. ``least`` connections let it work, more than ``most`` do it no good.

    ``patience``: seconds that waiting for a connection, or for the answer to a statement, may take. ``apart``: those of
    its connections that are not of its pool.
    """

    name: str
    least: int
    most: int
    patience: float
    apart: int = 0


# Whoever asks for a page hears well within five seconds that it can't be had; a job comes again.
WEB = Role("web", least=3, most=16, patience=3.0)
# Of a worker's connections one is for its sign of life.
WORKER = Role("worker", least=3, most=13, patience=15.0, apart=1)
WEBHOOKS = Role("webhooks", least=3, most=13, patience=15.0, apart=1)
CLOCK = Role("clock", least=2, most=4, patience=15.0)
COMMAND = Role("command", least=1, most=2, patience=15.0)  # out of what is reserved
ROLES = (WEB, WORKER, WEBHOOKS, CLOCK)


def processes(web: int, worker: int) -> dict[Role, int]:
    """How many run of each kind; of the others one is enough."""
    return {WEB: web, WORKER: worker, WEBHOOKS: 1, CLOCK: 1}


def needed(running: Mapping[Role, int]) -> int:
    """The fewest connections with which all of them work."""
    return RESERVED + sum(role.least * count for role, count in running.items())


def wanted(running: Mapping[Role, int]) -> int:
    """As many as they make good use of."""
    return RESERVED + sum(role.most * count for role, count in running.items())


def shares(total: int, running: Mapping[Role, int]) -> dict[Role, int]:
    """Connections for one process of each kind out of ``total`` for all. Never under ``least``, even where that is
    more than there are."""
    rest = max(min(total, wanted(running)) - needed(running), 0)
    room = sum((role.most - role.least) * count for role, count in running.items())
    found = {role: role.least + (role.most - role.least) * rest // room for role in running}
    left = rest - sum((found[role] - role.least) * count for role, count in running.items())
    for role, count in running.items():
        if count <= left and found[role] < role.most:
            found[role] += 1
            left -= count
    return found
