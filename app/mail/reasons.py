"""Why a refund is made, as its letter says it. Staff read the reason as it was kept."""

from app.core.i18n import N_, _

UNDELIVERED = "could not be delivered: "  # how the reason of a refund begins whose game never came
_SAID = {
    "chosen by the customer": N_("You chose to get your money back."),
    "not delivered in time": N_("You chose to get your money back, as the key did not come in time."),
}
_OF_SUPPLY = (  # what a supplier's cause holds → what became of the game
    ("sold out", N_("We could not get your game: it sold out.")),
    ("costs more", N_("We could not get your game: its price went up.")),
    ("canceled", N_("We could not get your game: our supplier cancelled it.")),
    ("refunded", N_("We could not get your game: our supplier took it back.")),
)


def said(reason: str) -> str:
    """A sentence for the customer; empty for an empty reason. What staff typed is named as their reason."""
    if not reason:
        return ""
    if reason.startswith(UNDELIVERED):
        why = next((words for sign, words in _OF_SUPPLY if sign in reason), "")
        return _(why) if why else _("We could not get your game.")
    return _(_SAID[reason]) if reason in _SAID else _("Reason: %(why)s", why=reason)
