"""A fresh seed and past offenders break no rule, a seed is played again to the letter, planted bugs are found."""

import asyncio
import random
import subprocess
import sys
from dataclasses import dataclass

import pytest

from dev.simulation import environment, invariants, report
from dev.simulation.environment import Scenario
from dev.simulation.report import Outcome
from tests.conftest import ROOT

OFFENDERS = [
    (int(seed), int(orders))
    for seed, orders, *_ in (
        line.split() for line in (ROOT / "tests/simulation/offenders.txt").read_text().splitlines() if line[:1] != "#"
    )
]
FOUND_BY = {  # mutant → a seed whose world shows it, as things are today
    "early-message": 2, "no-lease": 1, "no-look": 2, "no-rank": 3, "open-reveal": 4, "two-uses": 1,
}  # fmt: skip
SMALL, TRIES = 60, 8  # orders of a world with a mutant; how many worlds it is looked for in, should a change hide it
FRESH = Scenario(random.SystemRandom().randrange(2**31), 1000)
AGAIN = [Scenario(3, SMALL), Scenario(3, SMALL), Scenario(4, SMALL // 4)]
FRESH_AND_SMALL = Scenario(FRESH.seed, SMALL)
PLANTED = Scenario(FOUND_BY["no-rank"], SMALL // 3, "no-rank")


@dataclass
class Played:
    """What became of everything this file asks of the simulation."""

    fresh: Outcome
    offenders: list[Outcome]
    mutants: dict[str, list[Outcome]]


@pytest.fixture(scope="module")
async def played() -> Played:
    """All of it at once: one server, a process a core."""

    async def looked_for(mutant: str) -> list[Outcome]:
        """Outcomes of worlds with this bug, the last of them the one that shows it."""
        tried: list[Outcome] = []
        while len(tried) < TRIES and not (tried and tried[-1].violations):
            tried.append(await env.run(Scenario(FOUND_BY[mutant] + len(tried), SMALL, mutant)))
        return tried

    async with environment.opened(2) as env:
        fresh = asyncio.ensure_future(env.run(FRESH))  # the longest, so the first
        offenders = asyncio.gather(*(env.run(Scenario(*offender)) for offender in OFFENDERS))
        mutants = dict(zip(FOUND_BY, await asyncio.gather(*map(looked_for, FOUND_BY)), strict=True))
        return Played(await fresh, await offenders, mutants)


@pytest.fixture(scope="module")
async def few() -> list[Outcome]:
    """What a quick run asks of the simulation: one seed twice, another, a fresh one, and one planted bug."""
    async with environment.opened(2) as env:
        return list(await asyncio.gather(*map(env.run, [*AGAIN, FRESH_AND_SMALL, PLANTED])))


def holds(scenario: Scenario, outcome: Outcome) -> bool:
    print(report.text(scenario.seed, [outcome], 0.0))  # the seed, where it does not
    return not outcome.violations


@pytest.mark.proof
def test_a_thousand_orders_of_a_fresh_seed_break_no_rule(played: Played) -> None:
    assert holds(FRESH, played.fresh)
    assert played.fresh.orders["fulfilled"] > 600
    assert len(played.fresh.faults) > 30


def test_sixty_orders_of_a_fresh_seed_break_no_rule(few: list[Outcome]) -> None:
    assert holds(FRESH_AND_SMALL, few[3])


@pytest.mark.proof
@pytest.mark.parametrize("number", range(len(OFFENDERS)))
def test_a_past_offender_breaks_no_rule_any_more(number: int, played: Played) -> None:
    assert holds(Scenario(*OFFENDERS[number]), played.offenders[number])


def test_the_same_seed_is_the_same_history_to_the_letter_and_another_is_not(few: list[Outcome]) -> None:
    first, again, other = few[:3]
    assert first == again
    assert first.digest != other.digest
    assert holds(AGAIN[0], first)
    assert holds(AGAIN[2], other)


def test_a_bug_that_was_planted_is_found_at_once(few: list[Outcome]) -> None:
    assert "Nothing was moved back." in few[4].violations


@pytest.mark.proof
@pytest.mark.parametrize("mutant", environment.MUTANTS)
def test_a_planted_bug_is_found(mutant: str, played: Played) -> None:
    shown = played.mutants[mutant][-1]
    assert shown.violations
    assert f"--seed {shown.seed} --orders {SMALL} --mutant {mutant}" in report.text(shown.seed, [shown], 0.0)


A_SUM = {"arrived": 1, "otherwise": 0, "back": 0, "refunds": 1, "processed": 0, "failed": 1}


@pytest.mark.parametrize(
    ("kinds", "most"),
    [
        (["key_ready", "key_ready"], 1),
        (["payment_short", "payment_short"], 1),
        (["wrong_coin"], 0),
        (["refund_paid"], 0),
        (["overpaid", "overpaid", "overpaid"], 2),
        (["refund_rejected", "refund_rejected"], 1),
    ],
)
def test_a_letter_more_than_there_are_sums_and_refunds_breaks_the_rule(kinds: list[str], most: int) -> None:
    sent = [("ann@example.test", kind, f"mail {n}") for n, kind in enumerate(kinds)]
    said = f"{('ann@example.test', kinds[0])}: {len(kinds)} times, at most {most}"
    assert invariants.too_many(sent, {"ann@example.test": A_SUM}) == [said]
    assert invariants.too_many(sent[:most], {"ann@example.test": A_SUM}) == []


def test_one_letter_that_went_out_twice_breaks_the_rule_whatever_it_is_about() -> None:
    letter = ("ann@example.test", "sold_out", "mail 1")
    assert invariants.too_many([letter, letter], {"ann@example.test": A_SUM}) == [f"{letter}: 2 times, at most 1"]


def test_many_orders_are_worlds_of_which_each_is_played_again_by_its_own_seed() -> None:
    scenarios = environment.scenarios(7, 2300)
    assert [scenario.orders for scenario in scenarios] == [1000, 1000, 300]
    assert len({scenario.seed for scenario in scenarios}) == 3
    assert [environment.scenarios(scenario.seed, scenario.orders) for scenario in scenarios] == [
        [scenario] for scenario in scenarios
    ]


def simulated(*options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-W", "ignore", "-m", "app.cli", "simulate", *options]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


@pytest.mark.proof
def test_the_command_prints_what_happened_and_the_verdict_and_fails_where_a_rule_is_broken() -> None:
    well, ill = (
        simulated("--seed", "5", "--orders", "10"),
        simulated("--seed", str(FOUND_BY["no-rank"]), "--orders", "20", "--mutant", "no-rank"),
    )
    assert well.returncode == 0, well.stdout + well.stderr
    for part in ("seed 5: 10 orders", "What went wrong", "Where their orders ended", "Digest", "every invariant holds"):
        assert part in well.stdout
    assert ill.returncode == 1, ill.stdout + ill.stderr
    assert "not so: Nothing was moved back." in ill.stdout
