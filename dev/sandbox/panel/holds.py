"""The control API of holds, at `/sandbox/api/holds`: arm, look who waits, let go."""

from __future__ import annotations

from decimal import Decimal

from litestar import get, post

from dev.sandbox.holds import ENDINGS, LONGEST, PHASES, Hold
from dev.sandbox.panel import fields as read
from dev.sandbox.panel.refusals import wrong
from dev.sandbox.switches import STRUCK
from dev.sandbox.wire import Answer, Call, Fields, answer, read_object
from dev.sandbox.world import world_of

_FIELDS = ("provider", "phase", "path", "method", "match", "seconds", "late")


@post("/holds", status_code=201)
async def arm_hold(request: Call) -> Answer:
    """`{"provider", "phase": "before" | "after", "path": "*", "method", "match", "seconds": 60, "late": false}`"""
    fields = await read_object(request)
    read.only_known(fields, _FIELDS)
    provider, phase = read.choice(fields, "provider", STRUCK), read.choice(fields, "phase", PHASES)
    if provider is None or phase is None:
        raise wrong(f"provider and phase are needed; known: {', '.join([*STRUCK, *PHASES])}")
    seconds = read.number(fields, "seconds", most=Decimal(LONGEST))
    hold = Hold(
        provider=provider,
        phase=phase,
        path=read.text(fields, "path") or "*",
        method=read.text(fields, "method"),
        match=read.text(fields, "match"),
        seconds=LONGEST if seconds is None else float(seconds),
        late=bool(read.flag(fields, "late")),
    )
    return answer(_view(world_of(request).holds.arm(hold)), 201)


@get("/holds")
async def list_holds(request: Call) -> Answer:
    """Every hold; `held` requests wait in it just now, saying `different` things; `caught` did in all."""
    return _all(request)


@post("/holds/disarm", status_code=200)
async def disarm_holds(request: Call) -> Answer:
    """Catch no more; who waits goes on waiting."""
    world_of(request).holds.disarm()
    return _all(request)


@post("/holds/release", status_code=200)
async def release_holds(request: Call) -> Answer:
    """`{"then": "answer" | "error500" | "hang_up", "id": null}`: let all go, or those of one hold, and forget it."""
    fields = await read_object(request)
    read.only_known(fields, ("then", "id"))
    then = read.choice(fields, "then", ENDINGS) or "answer"
    world_of(request).holds.release(then, read.text(fields, "id"))
    return _all(request)


def _all(request: Call) -> Answer:
    return answer([_view(hold) for hold in world_of(request).holds.all()])


def _view(hold: Hold) -> Fields:
    names = ("id", "provider", "phase", "path", "method", "match", "late", "armed", "held", "different", "caught")
    return {name: getattr(hold, name) for name in names}


HANDLERS = [arm_hold, list_holds, disarm_holds, release_holds]
