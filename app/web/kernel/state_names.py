"""How states, outcomes and accounts are called on pages; in the program each is one word."""

from app.core.i18n import N_, _

# Every value that a table of the admin's or the merchants' pages shows by its own word.
NAMES = (
    # orders, items, payments, refunds, letters, jobs, deliveries, reservations
    N_("accepted"), N_("applied"), N_("bounced"), N_("cancelled"), N_("closed"), N_("complained"), N_("completed"),
    N_("confirmed"), N_("confirming"), N_("created"), N_("delivered"), N_("expired"), N_("failed"), N_("finished"),
    N_("fulfilled"), N_("out of stock"), N_("paid"), N_("partially paid"), N_("pending"), N_("processed"),
    N_("processing"), N_("ready"), N_("refunded"), N_("rejected"), N_("requested"), N_("reserved"), N_("retrying"),
    N_("sending"), N_("sent"), N_("success"), N_("test"), N_("underpaid"), N_("waiting"),
    # why a payment ended
    N_("coin refused"), N_("declined"), N_("expired card"), N_("insufficient funds"), N_("order closed"),
    N_("processing error"), N_("wrong coin"),
    # how a merchant pays, and how a webhook went
    N_("card"), N_("crypto"), N_("upi"), N_("timeout"), N_("connection"), N_("dns"), N_("tls"), N_("refused"),
    N_("gone"), N_("redirect"), N_("status"), N_("unresolved"), N_("unsigned"),
    # what a payment's report came to
    N_("stale"), N_("repeated"), N_("seen"), N_("deposit seen"), N_("paid within tolerance"), N_("paid late"),
    N_("overpaid"), N_("late"), N_("wrong coin unvalued"), N_("further deposit"), N_("not needed"),
    N_("finished without money"), N_("no price"), N_("unbelievable"), N_("unknown word"), N_("other order"),
    N_("other amount"), N_("settled far below"), N_("paid after sent back"), N_("sent back"), N_("failed with money"),
    # accounts of the ledger
    N_("received"), N_("customer"), N_("sales"), N_("owed"), N_("tolerance"), N_("credit"), N_("supplier cost"),
    N_("supplier balance"), N_("fees"), N_("provider balance"),
    # what an event is about
    N_("order"), N_("payment"), N_("refund"), N_("endpoint"),
)  # fmt: skip


def spoken(word: str) -> str:
    """``out_of_stock`` as people say it; a word that is none of ``NAMES``, with spaces."""
    plain = word.replace("_", " ")
    return _(plain) if plain in NAMES else plain
