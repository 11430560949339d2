"""What happens is told in words, never by its code name."""

import ast
import re

from app.fulfillment.states import ReservationStatus
from app.ledger.accounts import Account
from app.mail.states import LetterStatus
from app.orders.states import FulfillmentStatus, OrderStatus
from app.payments.classify import Outcome
from app.payments.states import Failure, PaymentStatus
from app.payments.test_processor import Scenario
from app.queue.states import JobStatus
from app.refunds.states import RefundStatus
from app.web.admin.event_texts import WORDS
from app.web.kernel.state_names import NAMES
from app.webhooks.states import DeliveryStatus
from tests.conftest import ROOT
from tests.house.source import calls, modules

WRITERS = {"record", "opening", "_to", "_end"}  # who writes a timeline's events, with the kind among the arguments


def kinds() -> set[str]:
    return {
        argument.value
        for name, tree in modules("app", "actors")
        for call in calls(tree)
        if (call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")) in WRITERS
        for argument in call.args
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value
    }


def test_every_event_of_a_timeline_has_words_for_admins() -> None:
    assert len(kinds()) > 40
    assert kinds() - set(WORDS) == set()


SHOWN = (  # by their own words, in tables of the admin's and the merchants' pages
    OrderStatus, FulfillmentStatus, PaymentStatus, Failure, Outcome, Scenario, ReservationStatus, RefundStatus,
    JobStatus, LetterStatus, DeliveryStatus, Account,
)  # fmt: skip


def test_every_state_that_a_page_shows_is_a_text_of_the_catalog() -> None:
    assert {state.replace("_", " ") for kind in SHOWN for state in kind} - set(NAMES) == set()


ODD = (  # each of these once stood on a page, in a mail or in an error
    "be told", "called off", "can go back", "can’t be taken back", "comes to nothing", "could be connected",
    "fits all", "founds a merchant", "for our eyes", "give money back", "have your money back",
    "ignore this email: nothing", "in line", "is mailed a", "its line", "lest", "likely you,", "may hand it",
    "name an address", "name another address", "name your address", "needs a look", "needs doing",
    "not there any more", "put it back", "round again", "still go back", "that are too many", "the house",
    "there is no member", "what becomes of", "where it stands", "who holds", "whoever uses",
)  # fmt: skip
GUIDES = ("docs/webhooks.md", "docs/going-live.md", "docs/audit.md")


def texts() -> list[tuple[str, str]]:
    """What people read, as ``(file, text)``: templates without statements, the strings of ``app``, and guides."""
    found = [
        (path.name, re.sub(r"{#.*?#}|{%.*?%}", "", path.read_text(), flags=re.S))
        for path in (ROOT / "templates").rglob("*.*")
    ]
    found += [(guide, (ROOT / guide).read_text()) for guide in GUIDES]
    for name, tree in modules("app"):
        plain = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        found += [
            (name, node.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in plain
        ]
    return found


def test_people_read_plain_words() -> None:
    odd = re.compile(r"\b(" + "|".join(ODD) + r")\b")
    clean = ((name, " ".join(text.lower().replace("'", "’").split())) for name, text in texts())
    assert {(name, found) for name, text in clean for found in odd.findall(text)} == set()
