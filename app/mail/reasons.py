"""Why a refund is made, as its letter says it. Staff read the reason as it was kept."""

UNDELIVERED = "could not be delivered: "  # how the reason of a refund begins whose game never came
_SAID = {
    "chosen by the customer": "You chose to get your money back.",
    "not delivered in time": "You chose to get your money back, as the key did not come in time.",
}
_OF_SUPPLY = (  # what a supplier's cause holds → what became of the game
    ("sold out", "it sold out"),
    ("costs more", "its price went up"),
    ("canceled", "our supplier cancelled it"),
    ("refunded", "our supplier took it back"),
)


def said(reason: str) -> str:
    """A sentence for the customer; empty for an empty reason. What staff typed is named as their reason."""
    if not reason:
        return ""
    if reason.startswith(UNDELIVERED):
        why = next((words for sign, words in _OF_SUPPLY if sign in reason), "")
        return f"We could not get your game: {why}." if why else "We could not get your game."
    return _SAID.get(reason, f"Reason: {reason}")
