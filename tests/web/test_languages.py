"""A page speaks the language that its reader asks for, all of it, and nobody else's."""

import json
import re
from html.parser import HTMLParser

import pytest

from app.core import db, i18n
from app.mail import service as mail
from tests.house.loose_texts import PROPER, SHOWN, WORD

PSEUDO = {"accept-language": "en-XA, en;q=0.5"}
UNSEEN = {"script", "style", "svg", "code", "noscript"}
# What a shop is about stands on its pages as it is: names, places, coins. A game's conditions are in no catalog yet.
DATA = {"card", "coin-words", "mono", "pill", "line-name", "line-facts", "bill-line", "conditions"}
PAGES = ["/", "/?platform=Nothing", "/cart", "/login", "/orders/lookup", "/orders", "/nowhere"]


class Reader(HTMLParser):
    """The words of a page that stand in no brackets, but for those within ``DATA``."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.loose: list[str] = []
        self.lang = ""
        self._open: list[tuple[str, bool]] = []
        self._depth = 0
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.lang = self.lang or str(given.get("lang") or "")
        data = bool(set((given.get("class") or "").split()) & DATA) or given.get("id") == "region"
        if not any(unseen for _tag, unseen in self._open) and not data:
            for name in SHOWN & given.keys():
                self._judge(str(given[name]))
        if tag not in {"br", "img", "input", "meta", "link", "hr"}:
            self._open.append((tag, tag in UNSEEN or data))

    def handle_endtag(self, tag: str) -> None:
        while any(name == tag for name, _unseen in self._open) and self._open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if not any(unseen for _tag, unseen in self._open):
            self._judge(data)

    def _judge(self, text: str) -> None:
        outside = ""
        for character in text:
            self._depth += (character == "⟦") - (character == "⟧")
            outside += character if self._depth == 0 and character != "⟧" else " "
        if WORD.search(PROPER.sub("", outside)):
            self.loose.append(" ".join(outside.split()))


def test_the_reader_finds_what_stands_outside_the_brackets() -> None:
    page = Reader('<html lang="en-XA"><p title="Loose">⟦Pay <b>now</b> please⟧ or later</p><svg>x</svg></html>')
    assert page.loose == ["Loose", "or later"]
    assert page.lang == "en-XA"


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_of_the_shop_shows_no_text_that_is_not_in_the_catalog(visitor, path: str) -> None:
    browser = visitor(**PSEUDO)
    page = Reader((await browser.get(path)).text)
    assert page.lang == "en-XA"
    assert page.loose == []


async def test_no_header_that_asks_for_a_language_breaks_an_answer(visitor) -> None:
    for asked in ("en;q=1e9999999", "en;q=1e999999999999999999", "EN-xa", "x" * 9000, ";q=1", "en-------", "*;q=0"):
        answer = await visitor(**{"accept-language": asked}).get("/")
        assert answer.status_code == 200, asked
        assert "content-security-policy" in answer.headers, asked
        assert '<html lang="EN' not in answer.text, asked


async def test_an_orders_pages_show_no_text_that_is_not_in_the_catalog(visitor, ready) -> None:
    browser = visitor(**PSEUDO, **ready.bearer)
    for path in (f"/orders/{ready.id}", f"/orders/{ready.id}/success"):
        page = Reader((await browser.get(path)).text)
        names = {text for row in await db.fetch("SELECT name, platform FROM order_item") for text in row.values()}
        assert [text for text in page.loose if not any(name in text for name in names)] == [], path


async def test_each_reader_has_their_own_language_and_the_shelf_is_kept_for_each(visitor) -> None:
    pseudo, english = visitor(**PSEUDO), visitor(**{"accept-language": "de, en;q=0.1"})
    for _turn in range(2):
        first, second = (await pseudo.get("/")).text, (await english.get("/")).text
        assert 'lang="en-XA"' in first
        assert "⟦" in first
        assert 'lang="en"' in second
        assert "⟦" not in second


async def test_the_cookie_comes_first_and_a_strange_one_changes_nothing(visitor) -> None:
    browser = visitor()
    browser.cookies.set("language", "en-XA", domain="127.0.0.1", path="/")
    assert "⟦" in (await browser.get("/cart")).text
    stranger = visitor()
    stranger.cookies.set("language", "../../x", domain="127.0.0.1", path="/")
    assert 'lang="en"' in (await stranger.get("/cart")).text


async def test_an_error_says_it_in_the_readers_language_and_keeps_its_code(visitor) -> None:
    browser = visitor("application/json", **PSEUDO)
    said = (await browser.get("/orders/00000000-0000-7000-8000-000000000000")).json()
    assert said["code"] == "order_not_found"
    assert said["title"].startswith("⟦")
    assert said["detail"].startswith("⟦")
    plain = (await visitor("application/json").get("/orders/00000000-0000-7000-8000-000000000000")).json()
    assert i18n.accented(plain["title"]) == said["title"]


async def test_a_letter_is_in_the_language_of_who_had_it_written(app) -> None:
    with i18n.speaking(i18n.PSEUDO):
        asked = await mail.write("login_link", "a@example.com", {"minutes": 15, "path": "/"})
    other = await mail.write("login_link", "b@example.com", {"minutes": 15, "path": "/"})
    contexts = {row["id"]: json.loads(row["context"]) for row in await db.fetch("SELECT id, context FROM mail")}
    letters = {key: mail.render("login_link", context) for key, context in contexts.items()}
    assert letters[asked].subject.startswith("⟦")
    assert 'lang="en-XA"' in letters[asked].html
    assert re.search(r"⟦.*15.*⟧", letters[asked].text)
    assert "⟦" not in letters[other].subject + letters[other].html + letters[other].text
