"""How often an admin's password may be guessed: per account, and per address. Kept in Postgres, so that losing Redis
lifts nothing; and how many passwords are checked at once, since each check costs 64 MB."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import TypeVar

from app.core import db
from app.core.client_address import limit_key
from app.core.errors import Unavailable
from app.quotas import service as quotas

T = TypeVar("T")
WINDOW = timedelta(minutes=15)
PER_ACCOUNT = 10  # wrong passwords in a WINDOW, wherever they come from
PER_ADDRESS = 20  # wrong passwords in a WINDOW, whatever account they are for
KNOWN = 50  # latest sessions whose addresses count as the person's own
AT_ONCE = 2  # password checks at a time in a process
MOST_WAITING = 16  # who wait for theirs: at a tenth of a second each, all are answered in a second or so

_threads = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="argon2")
_waiting = 0


class SignInBusy(Unavailable):
    title = "Too many people are signing in"


class Attempt:
    """One try at an account. It counts as wrong until ``succeeded``, so that tries at the same time count too."""

    def __init__(self, email: str, ip: str) -> None:
        self._email, self._network = email, limit_key(ip)
        self._counted = ("login_account", email)
        # Nobody is called what is no address: its guesses are counted by where they come from.
        self._is_somebody = is_address(email)

    async def begin(self) -> None:
        """Count it. Raises TooManyAttempts, the same for an account that exists and one that does not.

        From an address that the person signed in from before, an account has an allowance of its own: a stranger's
        guessing can't lock its owner out.
        """
        if self._network and await self._is_known():
            self._counted = _at_home(self._email, self._network)
        if self._network:
            await quotas.take("login_address", self._network, PER_ADDRESS, WINDOW)
        if self._is_somebody:
            await quotas.take(*self._counted, PER_ACCOUNT, WINDOW)

    async def _is_known(self) -> bool:
        return self._network in await own_networks(self._email, "admin")

    async def unchecked(self) -> None:
        """Take it back: its password was not looked at."""
        await quotas.give_back(*self._counted)
        if self._network:
            await quotas.give_back("login_address", self._network)

    async def succeeded(self) -> None:
        await quotas.clear(*self._counted)
        if self._network:
            await quotas.give_back("login_address", self._network)


async def unlock(email: str) -> None:
    """Forget the wrong passwords that an account was tried with, from wherever. ``email``: its key."""
    await quotas.clear("login_account", email)
    for network in await own_networks(email, "admin"):
        await quotas.clear(*_at_home(email, network))
        await quotas.clear("login_address", network)


def _at_home(email: str, network: str) -> tuple[str, str]:
    """What an account's guesses are counted by from where its person signed in before: under a name of its own, since
    an email may be any text, also one that ends like a network."""
    return "login_account_at_home", f"{network} {email}"


def is_address(text: str) -> bool:
    """Whether an admin could be called this: what ``bitloot admin create`` takes."""
    name, _, host = text.partition("@")
    return bool(name and host) and "@" not in host and not any(letter.isspace() for letter in text)


async def own_networks(email: str, role: str) -> set[str]:
    """From where a person signed in lately, as limits count addresses; signing out forgets none."""
    addresses = await db.fetch_values(
        "SELECT ip FROM login_session WHERE email = $1 AND role = $3 ORDER BY last_seen_at DESC LIMIT $2",
        email, KNOWN, role,
    )  # fmt: skip
    return {limit_key(ip) for ip in addresses if ip}


async def in_turn(work: Callable[..., T], *args: str) -> T:
    """Run a costly check in one of AT_ONCE threads. Raises SignInBusy when MOST_WAITING wait already."""
    global _waiting
    if _waiting >= AT_ONCE + MOST_WAITING:
        raise SignInBusy("Try again in a few seconds.")
    _waiting += 1
    try:
        return await asyncio.get_running_loop().run_in_executor(_threads, work, *args)
    finally:
        _waiting -= 1
