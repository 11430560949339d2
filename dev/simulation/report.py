"""What a run came to, as values and as text."""

import hashlib
from collections import Counter
from collections.abc import Sequence

import msgspec

SHOWN = 3  # violations of one rule that are printed in full


class Outcome(msgspec.Struct):
    """One world: ``violations`` by rule; ``orders``, ``plans`` and ``jobs`` count by state."""

    seed: int
    size: int
    mutant: str
    digest: str
    hours: float
    faults: dict[str, int]
    orders: dict[str, int]
    plans: dict[str, int]
    totals: dict[str, int]
    failures: dict[str, int]
    violations: dict[str, list[str]]


def digest(outcomes: Sequence[Outcome]) -> str:
    """Of the whole run: the same seed gives the same one."""
    return hashlib.sha256("".join(o.digest for o in outcomes).encode()).hexdigest()


def _sum(parts: Sequence[dict[str, int]]) -> Counter[str]:
    whole: Counter[str] = Counter()
    for part in parts:
        whole.update(part)
    return whole


def _lines(title: str, counts: Counter[str]) -> list[str]:
    return ["", title, *(f"  {number:>8,}  {name}" for name, number in sorted(counts.items(), key=lambda c: -c[1]))]


def text(seed: int, outcomes: Sequence[Outcome], seconds: float) -> str:
    """The whole report."""
    size, hours = sum(o.size for o in outcomes), sum(o.hours for o in outcomes)
    mutant = f" with the mutant {outcomes[0].mutant!r}" if outcomes[0].mutant else ""
    played = f"{size:,} orders in {len(outcomes)} worlds"
    lines = [f"Simulation, seed {seed}{mutant}: {played}, {hours:,.0f} hours of theirs in {seconds:.0f} s of ours"]
    lines += _lines("What went wrong", _sum([o.faults for o in outcomes]))
    lines += _lines("What customers did", _sum([o.plans for o in outcomes]))
    lines += _lines("Where their orders ended", _sum([o.orders for o in outcomes]))
    lines += _lines("Why attempts failed", _sum([o.failures for o in outcomes]))
    lines += _lines("In all", _sum([o.totals for o in outcomes]))
    lines += ["", f"Digest   {digest(outcomes)}", _judged(outcomes)]
    return "\n".join(lines)


def _judged(outcomes: Sequence[Outcome]) -> str:
    bad = [o for o in outcomes if o.violations]
    if not bad:
        return "Verdict  every invariant holds"
    lines = ["Verdict  VIOLATED"]
    for outcome in bad:
        again = f"bitloot simulate --seed {outcome.seed} --orders {outcome.size}"
        lines.append(f"  {again}{f' --mutant {outcome.mutant}' if outcome.mutant else ''}")
        for words, broken in outcome.violations.items():
            lines.append(f"    not so: {words} ({len(broken)})")
            lines += [f"      {one}" for one in broken[:SHOWN]]
    return "\n".join(lines)
