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
    N_("card"), N_("crypto"), N_("upi"), N_("timeout"), N_("connection"), N_("dns"), N_("tls"),
)  # fmt: skip


def spoken(word: str) -> str:
    """``out_of_stock`` as people say it; a word that no catalog knows, with spaces."""
    return _(word.replace("_", " "))
