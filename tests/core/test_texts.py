"""Texts of strangers as people may read them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core import texts


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("Tom Clancy&#039;s", "Tom Clancy's"),
        ("Tom Clancy&amp;#039;s &amp;amp; more", "Tom Clancy's & more"),
        ("5 &lt; 6 &gt; 4", "5 < 6 > 4"),
        ("<p>One.</p><p>Two&nbsp;three.</p>", "One.\nTwo three."),
        ("a<br>b<br />c<BR/>d", "a\nb\nc\nd"),
        ("<ul><li>one</li><li>two</li></ul>", "one\ntwo"),
        ("<b>bold</b> <a href='x'>link</a>", "bold link"),
        ("<script>alert(1)</script>fine<!-- note --><style>a{}</style>", "fine"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;fine", "fine"),
        ("I <3 you, a < b > c", "I <3 you, a < b > c"),
        ("AT&T R&D &copy", "AT&T R&D &copy"),
        ("half \ud800 and \x00nul", "half and nul"),
        ("\u202egnp.exe\u202c", "gnp.exe"),
        ("bell\x07 tab\tend", "bell tab end"),
        ("one\r\n\r\n\r\n\r\ntwo", "one\n\ntwo"),
        ("Ключ 鍵 🎮 👨‍👩‍👧", "Ключ 鍵 🎮 👨‍👩‍👧"),
        ("", ""),
    ],
)
def test_markup_entities_and_tricks_are_gone_and_the_words_stay(said: str, read: str) -> None:
    assert texts.plain(said) == read
    assert texts.line(said) == " ".join(read.split())


@given(st.text(st.characters(), max_size=400))
def test_whatever_comes_can_be_stored_and_no_tag_is_left(said: str) -> None:
    read = texts.plain(said)
    assert not texts.unstorable(read)
    assert read.encode("utf-8") is not None
    assert "\x00" not in read
