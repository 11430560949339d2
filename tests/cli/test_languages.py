"""The command line speaks the language of its terminal."""

from app.core import i18n

PSEUDO = {"LC_ALL": "en_XA.UTF-8"}


def accented(text: str) -> str:
    """The words of a text in the pseudo-language, as a terminal wraps them."""
    return i18n.accented(text).strip("⟦⟧")


async def test_help_is_in_the_terminals_language(app, bitloot) -> None:
    done = await bitloot("vault", "rotate", "--help", env=PSEUDO)
    said = " ".join(done.stdout.split())
    assert accented("Re-encrypt every data key and signing secret with the first master key.") in said
    assert accented("Data keys per transaction.") in said
    listed = await bitloot("jobs", "--help", env=PSEUDO)
    assert "⟦" in listed.stdout.partition("Commands:")[2]


async def test_an_error_is_in_the_terminals_language(app, bitloot) -> None:
    plain = await bitloot("admin", "unlock", "nobody@example.com", env={"LC_ALL": None, "LANG": "C.UTF-8"})
    spoken = await bitloot("admin", "unlock", "nobody@example.com", env=PSEUDO)
    assert (plain.returncode, spoken.returncode) == (1, 1)
    assert "⟦" not in plain.stderr
    assert accented(plain.stderr.partition(".")[0]) in spoken.stderr


async def test_a_language_that_we_do_not_ship_is_english(app, bitloot) -> None:
    done = await bitloot("vault", "--help", env={"LC_ALL": "xx_YY@euro"})
    assert "How many data keys" in done.stdout
