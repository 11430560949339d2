"""What goes wrong, how often, and for how long; how intense it is changes every few minutes."""

import random
from collections import Counter

RATES = {  # chance at each opportunity, at intensity 1
    # A process dies: at a pause of one of its activities, or right after a commit of one.
    "worker died waiting": 0.0015,
    "worker died after its commit": 0.004,
    "web died waiting": 0.005,
    "web died after its commit": 0.02,
    "clock died waiting": 0.002,
    "clock died after its commit": 0.002,
    # A process is frozen for longer than a lease lasts, and then goes on as if nothing had been.
    "process frozen": 0.0002,
    "lease outlived": 0.0003,
    # Postgres
    "transaction refused": 0.001,
    "commit's answer lost": 0.001,
    # Redis
    "message lost": 0.03,
    "message doubled": 0.04,
    "message late": 0.05,
    # A provider's line
    "call never left": 0.006,
    "call without answer": 0.004,
    "call's answer lost": 0.006,
    "call's effect late": 0.003,
    "call answered 500": 0.006,
    "call answered 500 after its effect": 0.006,
    "call answered 429": 0.006,
    "call answered garbage": 0.003,
    "store refused": 0.01,
    "store refused after its effect": 0.005,
    # The supplier
    "order refused without a reason": 0.01,
    "order refused without a reason after its effect": 0.005,
    "found late by search": 0.15,
    "delivered slowly": 0.06,
    "delivered in parts": 0.15,
    "cancelled by the supplier": 0.01,
    "refunded by the supplier": 0.005,
    # Notices
    "notice lost": 0.10,
    "notice doubled": 0.08,
    "notice late": 0.15,
    "notice forged": 0.05,
    "notice replayed": 0.05,
    "status skipped": 0.4,
}
EVENTS = {  # how likely each is to be the next disaster
    "Redis wiped": 4,
    "Redis away": 3,
    "worker killed": 4,
    "web killed": 3,
    "clock killed": 3,
    "liveness lost": 3,
    "nowpayments down": 2,
    "kinguin down": 3,
    "resend down": 2,
    "store down": 1,
    "every notice lost": 3,
    "notice replayed by hand": 3,
    "price moves": 4,
    "sold out": 2,
}
INTENSITIES = (0.0, 0.5, 1.0, 1.0, 2.0, 3.0)
INTENSITY_LASTS = (60.0, 400.0)  # seconds
NEXT_EVENT = (20.0, 120.0)


class Faults:
    """Decides every chance of a world, and counts what it let happen."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.happened: Counter[str] = Counter()
        self.intensity = 1.0
        self.until: dict[str, float] = {}

    def strikes(self, fault: str) -> bool:
        if self.chance.random() >= RATES[fault] * self.intensity:
            return False
        self.happened[fault] += 1
        return True

    def lasts(self, trouble: str, now: float) -> bool:
        """Whether ``trouble`` that came some time ago (see ``begin``) still holds at ``now``, in seconds."""
        return now < self.until.get(trouble, 0.0)

    def begin(self, trouble: str, until: float) -> None:
        self.until[trouble] = max(until, self.until.get(trouble, 0.0))

    def change_intensity(self) -> float:
        """Draw another intensity; how many seconds it lasts."""
        self.intensity = self.chance.choice(INTENSITIES)
        return self.chance.uniform(*INTENSITY_LASTS)

    def next_event(self) -> tuple[str, float]:
        """The next disaster, and in how many seconds it comes."""
        name = self.chance.choices(list(EVENTS), list(EVENTS.values()))[0]
        return name, self.chance.uniform(*NEXT_EVENT)

    def calm(self) -> None:
        """Nothing goes wrong from here on."""
        self.intensity, self.until = 0.0, {}
