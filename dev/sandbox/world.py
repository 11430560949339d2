"""All that a provider needs to act: one object, made once in `main.create_app`."""

from __future__ import annotations

import secrets
from collections import deque
from dataclasses import dataclass, field
from typing import cast

from dev.sandbox.config import Config
from dev.sandbox.holds import Holds
from dev.sandbox.storage import Storage
from dev.sandbox.switches import Switches
from dev.sandbox.timers import Timers
from dev.sandbox.webhook_sender import WebhookSender
from dev.sandbox.wire import Call


@dataclass(frozen=True, slots=True)
class World:
    """The configuration, the memory, and the hands; `recent_mail_calls` are times, for Resend's rate limit."""

    config: Config
    storage: Storage
    switches: Switches
    timers: Timers
    sender: WebhookSender
    recent_mail_calls: deque[int] = field(default_factory=deque)
    holds: Holds = field(default_factory=Holds)

    def reset(self) -> None:
        """Empty everything back to the start: records, settings, faults, and what was under way."""
        self.timers.cancel_all()
        self.sender.forget()
        self.storage.clear()
        self.recent_mail_calls.clear()
        self.holds.release("answer")


def world_of(call: Call) -> World:
    """The world a request arrives in."""
    return cast(World, call.app.state["world"])


def letters(count: int, alphabet: str) -> str:
    """So many random characters of an alphabet."""
    return "".join([secrets.choice(alphabet) for _ in range(count)])
