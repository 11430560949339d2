"""Kinguin's refusals by name. One goes by ``kind``, because the statuses of several are unknown (section 6)."""

from app.providers.errors import ApiKeyRejected, Fault, ProviderDown, ProviderError, ProviderRefused

LOCK_SECONDS = 1.0  # how long to wait for another change of the same order to end [I]


class ProductUnavailable(ProviderRefused):
    """No offer at or under our price, sold out, or withdrawn. Look at the product, then decide anew."""


class InsufficientBalance(ProviderRefused):
    """Our prepaid balance is too low. Alarm; it works again after a top-up. A job waits for that."""

    retry_in = None
    counts = False

    @property
    def why(self) -> str:
        return f"{type(self).__name__}: {self}"


class OrderFailed(ProviderRefused):
    """The opaque 422 without a reason (issue #40). The order may exist all the same: ``find`` it first."""


class DuplicateOrder(OrderFailed):
    """The external id is used already: an earlier attempt of ours went through. ``find`` it."""


class OrderNotFound(ProviderRefused):
    """No such order of this store."""


class NothingToReturn(ProviderRefused):
    """The keys can't be given back: claimed, wholesale, pre-order, or more than 24 h old."""


class ResourceLocked(ProviderDown):
    """Another change of the same resource is under way; nothing was done. Wait ``retry_after`` seconds."""

    unavailable = False  # an answer, and about one resource only


REFUSALS = {
    "Authorization": ApiKeyRejected,
    "InsufficientBalance": InsufficientBalance,
    "ProductUnavailable": ProductUnavailable,
    "OrderFailed": OrderFailed,
    "OrderNotFound": OrderNotFound,
    "OrderNotSupported": OrderNotFound,
    "NoKeysToReturn": NothingToReturn,
}


def named(fault: Fault) -> ProviderError | None:
    """The refusal this answer means, or None to let its status decide."""
    if fault.code in REFUSALS:
        return fault.refused(REFUSALS[fault.code], may_have_happened=fault.code == "OrderFailed")
    if fault.code == "ResourceLock":
        return fault.down(ResourceLocked, retry_after=LOCK_SECONDS)
    if fault.code == "ConstraintViolation" and _says_used(fault):
        return fault.refused(DuplicateOrder, may_have_happened=True)
    if fault.status == 404 and fault.call == "product":
        if fault.code == "Http":
            return fault.down()  # an unknown route, as in its outages (section 8): says nothing about the product
        return fault.refused(ProductUnavailable)
    if fault.code == "HttpClient":
        # Upstream's 404 stands for sold out; while buying it proves too little to skip a look.
        sold_out = fault.status == 404 and fault.call == "reserve"
        return fault.refused(ProductUnavailable, may_have_happened=True) if sold_out else fault.down()
    if fault.status == 404 and fault.call in {"get_delivered", "keys", "return_keys"}:
        return fault.refused(OrderNotFound)
    return None


def _says_used(fault: Fault) -> bool:
    """So one store's code reports a repeated external id; the exact words are unknown (section 6)."""
    said = f"{fault.detail} {fault.data.get('propertyPath')}".lower()
    return "external" in said and any(word in said for word in ("already", "used", "exist", "unique", "duplicat"))
