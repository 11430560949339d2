"""A consumer that Redis wakes: no look in vain at an idle queue, and no wait before a message that has come."""

import time

import redis
from dramatiq import MessageProxy
from dramatiq.brokers.redis import RedisBroker, _RedisConsumer
from dramatiq.common import current_millis
from dramatiq.errors import ConnectionClosed

from app.core import clock

LONGEST_WAIT = 0.5  # seconds; a consumer looks that often whether it is to stop
FULL_POLL = 0.012  # seconds between looks while as much is under way as this process may take


class WokenConsumer(_RedisConsumer):
    """Dramatiq's own, but for what it does when there is nothing: the original sleeps for up to its timeout.

    Moving a list's first item onto the same end of the same list changes nothing, and waits for there to be one
    (``BLMOVE``, Redis 6.2). Taking the message stays with Dramatiq's script.
    """

    def __init__(self, broker: RedisBroker, queue_name: str, prefetch: int, timeout: int) -> None:
        super().__init__(broker, queue_name, prefetch, timeout=0)  # type: ignore[no-untyped-call]
        self._queue = f"{broker.namespace}:{queue_name}"
        self._etas: list[int] = []

    def __next__(self) -> MessageProxy | None:
        message: MessageProxy | None = super().__next__()  # type: ignore[no-untyped-call]
        if message is None:
            self._wait()
        elif "eta" in message.options:
            # It stands there by Postgres' clock, and Dramatiq compares it with this machine's.
            message.options["eta"] += clock.skew_ms()
            self._etas.append(message.options["eta"])
        return message

    def _wait(self) -> None:
        if self.outstanding_message_count >= self.prefetch:
            time.sleep(FULL_POLL)
            return
        now = current_millis()
        self._etas = [eta for eta in self._etas if eta > now]
        seconds = min([LONGEST_WAIT, *((eta - now) / 1000 for eta in self._etas)])
        try:
            self.broker.client.blmove(self._queue, self._queue, seconds, "LEFT", "LEFT")
        except redis.ConnectionError as error:
            raise ConnectionClosed(error) from None  # type: ignore[no-untyped-call]


class WakingBroker(RedisBroker):
    """The Redis broker with consumers that are woken."""

    @property
    def consumer_class(self) -> type:
        return WokenConsumer
