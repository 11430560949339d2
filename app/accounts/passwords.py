"""How passwords are kept: argon2id, each with a salt of its own."""

from functools import lru_cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION

from app.core.settings import settings


@lru_cache(maxsize=1)
def _hasher() -> PasswordHasher:
    return PasswordHasher(memory_cost=settings().password_memory_kib)


def hashed(password: str) -> str:
    """The hash to store, in PHC string format. Blocks for as long as PASSWORD_MEMORY_KIB makes it cost."""
    return _hasher().hash(_bytes(password))


def matches(stored: str, password: str) -> bool:
    """Whether ``stored`` is the hash of this password. Blocks like ``hashed``."""
    try:
        return _hasher().verify(stored, _bytes(password))
    except (VerificationError, InvalidHashError):
        return False


def _bytes(password: str) -> bytes:
    return password.encode("utf-8", "replace")  # half a character can be typed, too


def is_outdated(stored: str) -> bool:
    """Whether a hash was made at another cost than today's, so that checking it takes longer or shorter."""
    return _hasher().check_needs_rehash(stored)


@lru_cache(maxsize=1)
def of_nobody() -> str:
    """A hash of no password, as costly to check as any other. Written by hand: making one would hold up a start."""
    cost = _hasher()
    return (
        f"$argon2id$v={ARGON2_VERSION}$m={cost.memory_cost},t={cost.time_cost},p={cost.parallelism}"
        f"${'A' * 22}${'A' * 43}"
    )
