"""What happens is told in words, never by its code name."""

import ast

from app.web.admin.event_words import WORDS
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
