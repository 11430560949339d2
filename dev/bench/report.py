"""One line a figure: ours, its floor, their ratio, what we aim at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """``least``: the ratio aimed at; ``limit``: the most the figure may be."""

    name: str
    ours: float
    unit: str
    floor: float | None = None
    against: str = ""
    least: float | None = None
    ratio: float | None = None
    limit: float | None = None
    at_least: float | None = None

    def line(self) -> str:
        base = f"{self.floor:10.1f} {self.unit:6} {self.against}" if self.floor is not None else ""
        share = f"{self.ratio * 100:6.0f} %" if self.ratio is not None else "        "
        return f"{self.name:34} {self.ours:10.1f} {self.unit:6} {share}  {self.verdict():28} {base}"

    def verdict(self) -> str:
        if self.least is not None and self.ratio is not None:
            return f"aim ≥ {self.least * 100:.0f} %: {_word(self.ratio >= self.least)}"
        if self.limit is not None:
            return f"aim ≤ {self.limit:g} {self.unit}: {_word(self.ours <= self.limit)}"
        if self.at_least is not None:
            return f"aim ≥ {self.at_least:g} {self.unit}: {_word(self.ours >= self.at_least)}"
        return ""


def _word(reached: bool) -> str:
    return "reached" if reached else "MISSED"
