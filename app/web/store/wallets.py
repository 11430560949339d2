"""Links that open a wallet with address and amount filled in, where a coin has a scheme for them."""

from decimal import Decimal
from urllib.parse import quote

from app.core.i18n import N_

SIMPLE = {  # coin → (scheme, name of the amount)
    "btc": ("bitcoin", "amount"),  # BIP 21
    "ltc": ("litecoin", "amount"),
    "doge": ("dogecoin", "amount"),
    "sol": ("solana", "amount"),  # Solana Pay
    "xmr": ("monero", "tx_amount"),
}
WEI = Decimal(10) ** 18
MEMO_LABELS = {"xrp": N_("Destination tag"), "xlm": N_("Memo")}


def wallet_uri(coin: str, address: str, amount: str, memo: str | None) -> str | None:
    """Such as ``bitcoin:3EZ2…?amount=0.00041``; None where no scheme is common enough to rely on."""
    if coin in SIMPLE:
        scheme, name = SIMPLE[coin]
        return f"{scheme}:{address}?{name}={amount}"
    if coin == "eth":
        return f"ethereum:{address}?value={int(Decimal(amount) * WEI)}"  # ERC-681, in wei
    if coin == "xlm":
        note = f"&memo={quote(memo)}&memo_type=MEMO_TEXT" if memo else ""
        return f"web+stellar:pay?destination={address}&amount={amount}{note}"  # SEP-0007
    return None
