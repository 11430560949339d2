"""Dice that a title throws."""

from collections.abc import Sequence
from hashlib import sha256
from typing import TypeVar

T = TypeVar("T")


class Dice:
    """Numbers from a title: as many as wanted, always the same, and tied to no library's generator."""

    def __init__(self, title: str) -> None:
        self.seed = sha256(title.strip().casefold().encode()).digest()
        self._thrown = 0

    def throw(self) -> float:
        """The next number in [0, 1)."""
        block = sha256(self.seed + self._thrown.to_bytes(4, "big")).digest()
        self._thrown += 1
        return int.from_bytes(block[:6], "big") / (1 << 48)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.throw()

    def pick(self, choices: Sequence[T]) -> T:
        return choices[int(self.throw() * len(choices))]
