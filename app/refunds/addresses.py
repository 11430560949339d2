"""What an address and a memo look like, by network. Shape only: whether it exists is the provider's to say.

A first look that catches slips at once; the provider's own check follows in a job (nowpayments.md, 10).
"""

import re
from dataclasses import dataclass

from app.core.errors import Invalid
from app.core.i18n import N_, _

_BASE58 = "[1-9A-HJ-NP-Za-km-z]"
_BECH32 = "[02-9ac-hj-np-z]"
_ETHEREUM = (r"0x[0-9a-fA-F]{40}", N_("starts with 0x and has 42 characters"))
SHAPES = {  # network, as our coins name it → (pattern, how people recognise it)
    "Bitcoin": (
        rf"bc1(?:{_BECH32}{{39}}|{_BECH32}{{59}})|[13]{_BASE58}{{25,34}}",
        N_("starts with bc1, 1 or 3"),
    ),
    "Litecoin": (rf"ltc1(?:{_BECH32}{{39}}|{_BECH32}{{59}})|[LM3]{_BASE58}{{25,34}}", N_("starts with ltc1, L or M")),
    "Dogecoin": (rf"[DA9]{_BASE58}{{33}}", N_("starts with D and has 34 characters")),
    "Monero": (rf"[48]{_BASE58}{{94}}(?:{_BASE58}{{11}})?", N_("starts with 4 or 8 and has 95 or 106 characters")),
    "Tron": (rf"T{_BASE58}{{33}}", N_("starts with T and has 34 characters")),
    "Solana": (rf"{_BASE58}{{32,44}}", N_("has 32 to 44 letters and digits")),
    "XRP Ledger": (rf"r{_BASE58}{{24,34}}", N_("starts with r")),
    "Stellar": ("G[A-Z2-7]{55}", N_("starts with G and has 56 characters")),
    "Ethereum": _ETHEREUM,
    "BNB Smart Chain": _ETHEREUM,
    "Polygon": _ETHEREUM,
}
OTHER = (r"[A-Za-z0-9][A-Za-z0-9:_-]{19,149}", N_("has at least 20 letters and digits"))
MEMOS = {"XRP Ledger": ("[0-9]{1,10}", N_("a destination tag is a number"))}
OTHER_MEMO = (r"[!-~]{1,28}", N_("a memo has at most 28 characters and no spaces"))


class BadAddress(Invalid):
    title = "That address can't be used"


@dataclass(frozen=True, slots=True)
class Target:
    """Where a refund is to go: a coin's code, an address of its network, a memo where the address needs one."""

    coin: str
    address: str
    memo: str | None


def parse(coin: str, name: str, network: str, address: str, memo: str, *, has_memo: bool) -> Target:
    """What a customer typed, as a target. Raises BadAddress, naming the field and what is expected there."""
    address, memo = "".join(address.split()), memo.strip()
    pattern, looks = SHAPES.get(network, OTHER)
    if not address:
        raise BadAddress("Paste the address of your wallet.", field="address")
    if not re.fullmatch(pattern, address):
        if network in name:
            said = _("That is not a %(coin)s address: a valid one %(looks)s.", coin=name, looks=_(looks))
        else:
            said = _(
                "That is not a %(coin)s address on %(network)s: a valid one %(looks)s.",
                coin=name,
                network=network,
                looks=_(looks),
            )
        raise BadAddress(said, field="address")
    if memo and not has_memo:
        raise BadAddress(_("%(coin)s has no memo. Leave this field empty.", coin=name), field="memo")
    pattern, looks = MEMOS.get(network, OTHER_MEMO)
    if memo and not re.fullmatch(pattern, memo):
        raise BadAddress(_("Check the memo: %(looks)s.", looks=_(looks)), field="memo")
    return Target(coin, address, memo or None)
