"""What happened to a shop and what became of its orders, as a page of Markdown."""

from collections import Counter
from dataclasses import dataclass, field

from dev.chaos.verdict import RULES, Breach, Finding

SHOWN = 20  # findings spelt out


@dataclass
class Report:
    """All figures of one run. ``facts`` are lines of name and value; ``looked_at``: by rule, what it was checked on."""

    facts: dict[str, object]
    struck: Counter[str]
    findings: list[Finding | Breach | str] = field(default_factory=list)
    looked_at: dict[str, str] = field(default_factory=dict)

    @property
    def fine(self) -> bool:
        return not self.findings

    def text(self) -> str:
        lines = ["# Chaos report", "", f"**{len(self.findings)} violations.**", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {value} |" for name, value in self.facts.items()]
        lines += ["", "## Faults", "", "| fault | times |", "|---|---|"]
        lines += [f"| {name} | {count} |" for name, count in sorted(self.struck.items())]
        lines += [
            f"| **all** | **{self.struck.total()}** |",
            "",
            "## Always true",
            "",
            "| rule | verdict | looked at |",
            "|---|---|---|",
        ]
        broken = Counter(it.rule if isinstance(it, Finding | Breach) else "overall" for it in self.findings)
        rules = RULES | {"overall": "nothing is left over or unknown in the shop as a whole"}
        lines += [
            f"| {words} | {_verdict(broken[rule])} | {self.looked_at.get(rule, '')} |" for rule, words in rules.items()
        ]
        if self.findings:
            lines += ["", "## Violations", "", *(f"- {it}" for it in self.findings[:SHOWN])]
        return "\n".join(lines) + "\n"


def _verdict(count: int) -> str:
    return f"**broken {count} times**" if count else "holds"
