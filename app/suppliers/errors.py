"""What a supplier refuses, in the words of the port.

Failures of the way there (``ProviderDown``, ``ProviderProtocolError``) pass an adapter unchanged; what a supplier
refuses is one of these, so that nobody above has to know which supplier it was.
"""

from app.providers.errors import ProviderRefused


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
    """Refused without a reason. The order may exist all the same: ``find`` it first."""


class DuplicateOrder(OrderFailed):
    """The external id is used already: an earlier attempt of ours went through. ``find`` it."""


class OrderNotFound(ProviderRefused):
    """The supplier has no such order of ours."""


class NothingToReturn(ProviderRefused):
    """The supplier does not take the keys back."""


class NotSearchable(ProviderRefused):
    """This supplier can't be searched."""


class UnknownSupplier(LookupError):
    """A row names a supplier that this deployment does not have."""
