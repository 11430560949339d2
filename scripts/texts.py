"""Collects what people read into ``locale/messages.pot``, and tells the catalogs what is new: ``make texts``.

``python -m scripts.texts de`` begins the catalog of a language. A ``Problem`` is looked up where it is rendered, so the
texts that its classes and their calls hold are collected by the names of the classes.
"""

import ast
import io
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[1]
LOCALE = ROOT / "locale"
TEMPLATE = LOCALE / "messages.pot"
FOLDERS = ("app", "templates")
LEFT_OUT = ("app/migrations/", "templates/sandbox/", "templates/merchant/snippets/")
MARKS = {"_", "N_", "gettext"}
# What holds nothing but texts, which are looked up where they are shown.
HOLDERS = {"Matter", "FailureReason", "ErrorCode", "describe", "always", "EventType"}
DOTTED = re.compile(r"[a-z_]+\.[a-z_]+")  # a name among them, such as an event's
# What makes a command or option of the command line: its docstring and these keywords are its help.
COMMANDS, HELP = {"command", "group", "option", "password_option"}, {"help", "short_help"}
OPTIONS = {"newstyle_gettext": "true", "trimmed": "true", "silent": "false"}
Found = tuple[int, str, str | tuple[str, str], list[str]]


def catalog() -> Catalog:
    """Every text of the source, each once, by the alphabet: so that two branches seldom touch one line."""
    problems = problem_classes()
    made = Catalog(project="BitLoot", charset="utf-8")

    def in_python(file: io.BytesIO, *_given: object, **_options: object) -> Iterator[Found]:
        return _in_python(ast.parse(file.read()), problems)

    methods = [("**.py", in_python), ("**.html", "jinja2.ext:babel_extract"), ("**.txt", "jinja2.ext:babel_extract")]
    options = {"**.html": OPTIONS, "**.txt": OPTIONS}
    for folder in FOLDERS:
        extracted = extract_from_dir(ROOT / folder, method_map=methods, options_map=options)
        for name, _line, message, _comments, _context in extracted:
            if not f"{folder}/{name}".startswith(LEFT_OUT):
                made.add(message)
    return made


def problem_classes() -> set[str]:
    """The names of ``Problem`` and all that inherit from it."""
    parents = [
        (node.name, {ast.unparse(base).rpartition(".")[2] for base in node.bases})
        for path in (ROOT / "app").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ClassDef)
    ]
    known, before = {"Problem"}, set[str]()
    while known != before:
        before, known = known, known | {name for name, bases in parents if bases & known}
    return known


def _in_python(tree: ast.Module, problems: set[str]) -> Iterator[Found]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _in_call(node, problems)
        elif isinstance(node, ast.ClassDef) and node.name in problems:
            yield from _in_class(node)
        elif isinstance(node, ast.FunctionDef) and COMMANDS & {_name(made) for made in node.decorator_list}:
            yield node.lineno, "_", ast.get_docstring(node) or "", []


def _in_call(node: ast.Call, problems: set[str]) -> Iterator[Found]:
    name = _name(node)
    texts = [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
    if name in COMMANDS:
        for word in node.keywords:
            if word.arg in HELP and isinstance(word.value, ast.Constant):
                yield node.lineno, "_", str(word.value.value), []
        return
    if name in HOLDERS:
        yield from ((node.lineno, "_", text, []) for text in texts if not DOTTED.fullmatch(text))
        return
    if name == "ngettext" and len(texts) > 1:
        yield node.lineno, name, (texts[0], texts[1]), []
    elif (name in MARKS or name in problems) and node.args and texts and isinstance(node.args[0], ast.Constant):
        yield node.lineno, "_", texts[0], []


def _name(node: ast.expr) -> str:
    """Of what is called or decorates, without what stands before its dot."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node).rpartition(".")[2]


def _in_class(node: ast.ClassDef) -> Iterator[Found]:
    for line in node.body:
        if (
            isinstance(line, ast.Assign)
            and isinstance(line.value, ast.Constant)
            and ast.unparse(line.targets[0]) == "title"
        ):
            yield line.lineno, "_", str(line.value.value), []


def written(made: Catalog) -> str:
    out = io.BytesIO()
    write_po(out, made, no_location=True, omit_header=True, sort_output=True, width=110)
    return "# Made by `make texts` from the source: change a text there.\n" + out.getvalue().decode()


def main(begun: list[str]) -> None:
    made = catalog()
    LOCALE.mkdir(exist_ok=True)
    TEMPLATE.write_text(written(made))
    paths = {LOCALE / name / "LC_MESSAGES" / "messages.po" for name in begun} | set(LOCALE.glob("*/LC_MESSAGES/*.po"))
    for path in sorted(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        language = path.parents[1].name
        with path.open("rb") if path.exists() else io.BytesIO() as file:
            own = read_po(file, locale=language.replace("-", "_"))
        own.project = made.project
        own.update(made, no_fuzzy_matching=True)
        with path.open("wb") as out:
            write_po(out, own, no_location=True, sort_output=True, width=110, ignore_obsolete=True)


if __name__ == "__main__":
    main(sys.argv[1:])
