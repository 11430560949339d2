"""The master keys of this deployment."""

from functools import lru_cache

from app.core.crypto import MasterKeys
from app.core.settings import settings


@lru_cache(maxsize=1)
def vault() -> MasterKeys:
    """``MASTER_KEYS``, parsed once: the first wraps, all unwrap."""
    return MasterKeys.parse(settings().master_keys.get_secret_value())
