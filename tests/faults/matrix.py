"""The faults of the kill matrix: each strikes while orders stand at every label, and says what was done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from dev.chaos import messages
from dev.chaos.customer import Customer, addressed
from dev.chaos.verdict import Finding, examine, read, revealed, settled
from dev.environment import Environment, until
from tests.faults.scenario import (
    AT_EACH,
    BUY,
    CALLS_LAST,
    CHECK,
    FIND,
    INVOICE,
    KEYS,
    LABELS,
    MAIL,
    NOTICE,
    PAYMENT,
    PUT,
    STATUS,
    Scenario,
    in_hand,
    look_now,
)  # fmt: skip

SETTLES = 45.0  # seconds after a fault in which every order is fulfilled: the search's lag of 20 s, and room; no lease
# An order that waits for the search's lag may meet the next fault, too: a claim whose answer was lost, or a dead
# worker's probe of a provider, is another's only after its minute. Who waits longer than both hangs.
ENDS = 180.0
POOL = 12  # connections of a worker: so many commits wait for a lock at once, the others for a connection

GOODS = """SELECT id::text, supplier_product_id FROM product WHERE active AND text_keys AND price BETWEEN 12 AND 45
           ORDER BY slug"""

Strike = Callable[[Scenario], Awaitable[None]]


async def kill_before_the_effect(scenario: Scenario) -> None:
    """The worker dies with its calls on their way; they never arrive."""
    await scenario.set("before")
    await scenario.env.kill("worker")
    await until(scenario.nobody_held, "the calls of the dead are dropped")
    await scenario.release()
    await scenario.env.start("worker")


async def kill_after_the_effect(scenario: Scenario) -> None:
    """The worker dies in the middle: each call has taken effect, and its answer never comes."""
    await scenario.set("after")
    await scenario.env.kill("worker")
    await scenario.release()
    await scenario.env.start("worker")


async def kill_with_the_answer_in_hand(scenario: Scenario) -> None:
    """Every call was answered and nothing of it is committed yet, when the worker dies."""
    await scenario.set("before")
    async with scenario.env.locked(
        ("SELECT FROM customer_order WHERE id = ANY($1::uuid[])", scenario.ids_locked_in("customer_order")),
        ("SELECT FROM reservation WHERE order_id = ANY($1::uuid[])", scenario.ids_locked_in("reservation")),
        ("SELECT FROM mail WHERE subject = ANY($1::uuid[])", scenario.ids_locked_in("mail")),
    ):
        # What follows the invoice is the next call, not a commit.
        await scenario.answer_all_but(INVOICE, then=PAYMENT)
        await until(lambda: commits_wait(scenario.env), "answers wait to be committed")
        await scenario.env.kill("worker")
    await scenario.release()
    await scenario.env.start("worker")


async def commits_wait(env: Environment) -> bool:
    rows = await env.rows("SELECT count(*) AS n FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    return bool(rows[0]["n"] >= POOL)


async def kill_and_arrive_late(scenario: Scenario) -> None:
    """The worker dies with its calls on their way; they arrive when the next worker is at the same jobs already."""
    await scenario.set("before", late=True)
    lost = {job["id"]: job["attempt"] for job in await in_hand(scenario.env)}
    await scenario.env.kill("worker")
    await scenario.disarm()
    await scenario.env.start("worker")
    # A purchase is looked for and not found; the job waits, and only then does the first call arrive.
    sql = """SELECT count(*) AS n FROM job JOIN unnest($1::uuid[], $2::int[]) AS was (id, attempt) USING (id)
             WHERE job.attempt > was.attempt
               AND (job.status = 'pending' OR subject IS NULL OR NOT subject = ANY($3::uuid[]))"""

    async def taken_up() -> bool:
        rows = await scenario.env.rows(sql, list(lost), list(lost.values()), scenario.ids(BUY))
        return bool(rows[0]["n"] == len(lost))

    await until(taken_up, "the next worker has taken up every job", seconds=40)
    await scenario.release()


async def double_every_message(scenario: Scenario) -> None:
    """Messages come again while their job is in hand, and once more when it is done."""
    await scenario.set("after")
    jobs = await in_hand(scenario.env)
    messages.send_again(scenario.env.redis, jobs, 2)
    await nothing_queued(scenario.env)
    now = {job["id"]: job["attempt"] for job in await in_hand(scenario.env)}
    assert all(now.get(job["id"], job["attempt"]) == job["attempt"] for job in jobs), (
        "a second message began a second attempt"
    )
    await scenario.release()
    await scenario.finish()
    await settled(scenario.env, scenario.orders, seconds=SETTLES)
    sql = "SELECT id, name FROM job WHERE subject = ANY($1::uuid[]) OR name LIKE '%.apply_notice'"
    messages.send_again(scenario.env.redis, await scenario.env.rows(sql, scenario.ids(*LABELS)), 2)
    await nothing_queued(scenario.env)


async def nothing_queued(env: Environment) -> None:
    async def empty() -> bool:
        return messages.queued(env.redis) == 0

    await until(empty, "every message was taken")


async def lose_every_message(scenario: Scenario) -> None:
    """Redis takes no message at the moment in which each label's job is posted, and is empty afterwards."""
    env = scenario.env
    await scenario.place(NOTICE, CHECK, FIND, BUY, STATUS, KEYS, PUT)
    await addressed(env, scenario.orders)
    # Each order waits one step before the job whose message is to be lost.
    for label, before in ((FIND, NOTICE), (BUY, NOTICE), (STATUS, BUY), (KEYS, STATUS), (PUT, STATUS)):
        await scenario.hold(before, "after", known=label)
    await scenario.pay(FIND, BUY, STATUS, KEYS, PUT)
    await scenario.all_held()
    messages.refuse(env.redis)
    await scenario.place(INVOICE, PAYMENT, MAIL)
    await scenario.pay(NOTICE)
    await scenario.pay_unheard(scenario.groups[CHECK])
    await scenario.release()
    await until(lambda: posted(scenario), "every label's job is posted")
    await swept(scenario)
    env.redis.flushall()
    messages.accept(env.redis)


async def posted(scenario: Scenario) -> bool:
    rows = await scenario.env.rows("SELECT name, subject::text AS id FROM job WHERE status = 'pending'")
    have = [(row["name"], row["id"]) for row in rows]
    notices = have.count((NOTICE.job, None))  # posted by a notice that nobody has read yet
    return notices >= AT_EACH and all(
        (label.job, order_id) in have for label in LABELS if label != NOTICE for order_id in scenario.ids(label)
    )


async def swept(scenario: Scenario) -> None:
    """Until the clock has made its round once more."""
    await look_now(scenario.env, scenario.groups[CHECK])
    sql = "SELECT count(*) AS n FROM payment WHERE provider_payment_id = ANY($1) AND next_check_at > now()"

    async def moved() -> bool:
        rows = await scenario.env.rows(sql, [it.payment_id for it in scenario.groups[CHECK]])
        return bool(rows[0]["n"] == AT_EACH)

    await until(moved, "the clock has swept")


async def flush_redis(scenario: Scenario) -> None:
    """Redis is wiped with calls under way, and with messages in it that no worker has taken."""
    await scenario.set("after")
    async with scenario.env.suspended("worker"):
        await scenario.place(INVOICE, MAIL)
        await until(lambda: some_queued(scenario.env, 2 * AT_EACH), "messages are queued")
        scenario.env.redis.flushall()
    await scenario.release()


async def some_queued(env: Environment, least: int) -> bool:
    return messages.queued(env.redis) >= least


async def restart_redis(scenario: Scenario) -> None:
    """Redis is killed with calls under way; they are answered, and orders placed, while there is none."""
    await scenario.set("after")
    await scenario.env.kill_redis()
    await scenario.release()
    await scenario.place(INVOICE)  # answered while there is none
    await scenario.env.start_servers()


async def restart_postgres(scenario: Scenario) -> None:
    """Postgres is killed with calls under way; they are answered while there is none."""
    await scenario.set("after")
    killing = asyncio.create_task(scenario.env.kill_postgres())
    await scenario.release()
    await killing
    await scenario.env.start_servers()


async def time_out_after_the_effect(scenario: Scenario) -> None:
    """Every provider does it and never answers: the callers give up by themselves."""
    await scenario.set("after")
    await scenario.disarm()
    await until(scenario.nobody_held, "every caller has given up", seconds=4 * CALLS_LAST)
    await scenario.release()


async def answer_500_then_work(scenario: Scenario) -> None:
    """Every provider answers 500 and does nothing; the next time it works."""
    await scenario.set("before")
    await scenario.release("error500")


async def answer_500_after_the_effect(scenario: Scenario) -> None:
    """Every provider does it and answers 500; the next time it works."""
    await scenario.set("after")
    await scenario.release("error500")


async def hang_up_after_the_effect(scenario: Scenario) -> None:
    """Every provider does it and closes the line without a byte."""
    await scenario.set("after")
    await scenario.release("hang_up")


FAULTS: tuple[Strike, ...] = (
    kill_before_the_effect, kill_and_arrive_late, answer_500_then_work, answer_500_after_the_effect,
    kill_after_the_effect, kill_with_the_answer_in_hand, restart_postgres, restart_redis, flush_redis,
    lose_every_message, double_every_message, time_out_after_the_effect, hang_up_after_the_effect,
)  # fmt: skip


@dataclass
class Outcome:
    """What one fault led to: its orders, and every rule that one of them breaks."""

    orders: list[Customer] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    settled: bool = False
    struck: float = 0.0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{len(self.orders)} orders, struck after {self.struck:.1f} s, all right {self.seconds:.1f} s later"


class Story:
    """One fault after the other in one environment.

    The next one strikes when the orders of the last have ended, but for those that wait out the supplier's search
    (20 s, in which nothing is done for them): whatever strikes meanwhile makes it only harder for them.
    """

    def __init__(self, env: Environment, strikes: Sequence[Strike]) -> None:
        self.env, self._strikes = env, strikes
        self._outcomes = {strike: asyncio.get_running_loop().create_future() for strike in strikes}
        self._judging: set[asyncio.Task[None]] = set()
        self._telling = asyncio.create_task(self._tell())

    async def outcome(self, strike: Strike) -> Outcome:
        """What a fault led to, once that is known. Raises what kept it from striking."""
        return await asyncio.shield(self._outcomes[strike])

    async def close(self) -> None:
        for task in (self._telling, *self._judging):
            task.cancel()
        await asyncio.gather(self._telling, *self._judging, return_exceptions=True)
        for outcome in self._outcomes.values():
            outcome.cancel()

    async def _tell(self) -> None:
        goods = await self.env.rows(GOODS)
        for strike in self._strikes:
            try:
                await self._play(strike, goods[: len(LABELS)])
            except Exception as error:
                self._outcomes[strike].set_exception(error)
                await self._heal()

    async def _play(self, strike: Strike, goods: list[dict[str, Any]]) -> None:
        clock = asyncio.get_running_loop().time
        scenario, began = Scenario(self.env, strike.__name__, goods), clock()
        await strike(scenario)
        struck = clock()
        await scenario.finish()
        quick = [order for label, group in scenario.groups.items() if label != BUY for order in group]
        await settled(self.env, quick, seconds=SETTLES)
        judging = asyncio.create_task(self._judge(strike, scenario, struck - began, struck))
        self._judging.add(judging)

    async def _judge(self, strike: Strike, scenario: Scenario, struck: float, since: float) -> None:
        try:
            fine = await settled(self.env, scenario.orders, seconds=ENDS)
            seconds = asyncio.get_running_loop().time() - since
            books = await read(self.env, scenario.orders)
            findings = examine(books, scenario.orders) or await revealed(self.env, books, scenario.orders)
            self._outcomes[strike].set_result(Outcome(scenario.orders, findings, fine, struck, seconds))
        except Exception as error:
            self._outcomes[strike].set_exception(error)

    async def _heal(self) -> None:
        """Nothing of a fault that failed is left for the next."""
        await self.env.start_servers()
        messages.accept(self.env.redis)
        await self.env.asks("POST", "/holds/release", json={})
        await self.env.asks("DELETE", "/faults")
        if not self.env.runs("worker"):
            await self.env.start("worker")
