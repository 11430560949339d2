"""What the rooms above want to hear of the queue. ``actors`` registers it at start; the queue knows no room."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

OnProvider = Callable[[UUID, str], Awaitable[None]]
"""Called with a job's subject and the provider that it needs."""


OnDeadLetter = Callable[[UUID, str], Awaitable[None]]
"""Called with a dead letter's subject and its job's name."""


async def _nobody(subject: UUID, name: str) -> None:
    return


@dataclass(slots=True)
class Hooks:
    """``on_wait``: a job waits for its provider. ``on_probe``: it is the one with which the provider is tried.
    ``on_resume``: the provider is back, and the job goes on. ``on_dead_letter``: the job was given up, and that is
    committed: it locks its subject first, as all do."""

    on_wait: OnProvider = _nobody
    on_probe: OnProvider = _nobody
    on_resume: OnProvider = _nobody
    on_dead_letter: OnDeadLetter = _nobody


hooks = Hooks()
