"""Finds texts for people that are in no catalog: in templates by Jinja's own parser, in Python by its own."""

import ast
import re
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from jinja2 import Environment, nodes

from scripts.texts import COMMANDS, HELP, HOLDERS

LOOKED_UP = {"_", "N_", "gettext", "ngettext"}
SHOWN = {"title", "alt", "aria-label", "placeholder", "data-confirm", "data-confirm-detail", "data-confirm-yes",
         "data-announce-once", "data-title"}  # fmt: skip
SILENT = {"script", "style", "code", "pre"}
# What is the same in every language: names, terms, an example of an address.
PROPER = re.compile(
    r"BitLoot|NOWPayments|Kinguin|Resend|AES-256-GCM|\bUTC\b|\S+@\S+|https?://\S+|\b[A-Z]{2,}\b|&#?\w+;|\bms\b|\bJSON\b"
    r"|X-Api-\w+|\bcurl\b"
)
ATTRIBUTE = re.compile(r'[\w:-]+="[^"]*"|data-[\w-]+')  # what a macro writes into a tag
WORD = re.compile(r"[^\W\d_]{2,}")
SENTENCE = re.compile(r"^[“\s]*[A-Z][a-z’']*[a-z][\s.,:!?]|^[“]?[A-Z][a-z]+$|[a-z’]{2,} [a-z’]{2,} [a-z]{2,}")
PLACEHOLDER = re.compile(r"%\((\w+)\)")
BEGUN = re.compile(r"^[A-Z][\w’'-]* [a-z]+( |$)")
_environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)  # only parses
_environment.newstyle_gettext = True  # type: ignore[attr-defined]


def in_template(path: Path) -> list[str]:
    """The words of a template that are shown as they stand, by text, attribute and literal."""
    tree = _environment.parse(path.read_text())
    literals = [c for c in _literals(tree) if SENTENCE.search(PROPER.sub("", c))]
    rest = "".join(_rest(tree))
    if path.suffix == ".txt":
        return [*literals, *(line.strip() for line in rest.split("\n") if _has_words(line))]
    reader = _Reader()
    reader.feed(rest)
    reader.close()
    return [*literals, *reader.found]


def _has_words(text: str) -> bool:
    return WORD.search(PROPER.sub("", text)) is not None


def _is_lookup(node: nodes.Node) -> bool:
    return isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in LOOKED_UP


def _literals(node: nodes.Node) -> Iterator[str]:
    """Strings in expressions; a comparison's are words of the program."""
    if isinstance(node, nodes.Compare | nodes.Import | nodes.FromImport | nodes.Include | nodes.Extends):
        return
    if isinstance(node, nodes.Const) and isinstance(node.value, str):
        yield node.value
    for child in node.iter_child_nodes(exclude=("args",) if _is_lookup(node) else ()):
        yield from _literals(child)


def _rest(node: nodes.Node) -> Iterator[str]:
    """What a template writes by itself, with a mark for each value."""
    if isinstance(node, nodes.TemplateData):
        yield node.data
    elif isinstance(node, nodes.Output):
        for child in node.nodes:
            yield from _rest(child) if isinstance(child, nodes.TemplateData) else ("\u2022",)
    elif not isinstance(node, nodes.Expr) and getattr(node, "name", "") != "width":  # the block that holds a class
        for child in node.iter_child_nodes():
            yield from _rest(child)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.found: list[str] = []
        self._silent: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self._silent.append(tag)
        described = dict(attrs).get("name") == "description"
        self.found += [
            f"{name}={value}"
            for name, value in attrs
            if value and (name in SHOWN or (name == "content" and described)) and _has_words(value)
        ]

    def handle_endtag(self, tag: str) -> None:
        if self._silent and self._silent[-1] == tag:
            self._silent.pop()

    def handle_data(self, data: str) -> None:
        if not self._silent and _has_words(ATTRIBUTE.sub("", data)):
            self.found.append(" ".join(data.split()))


# What is no text for people: the calls and keywords whose strings name things or go to logs.
PROGRAM = {
    "get", "post", "put", "delete", "Write", "fetch", "fetch_all", "fetch_as", "fetch_one", "fetch_value", "execute",
    "info", "warning", "error", "exception", "RuntimeError", "ValueError", "TypeError", "AssertionError", "job",
    "compile", "Parameter", "raw",
}  # fmt: skip
SQL = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|WITH|FROM|WHERE|ORDER BY|VALUES|WHEN)\b")


def in_python(path: Path, problems: set[str]) -> list[str]:
    """Sentences that no catalog has, f-strings too. A ``Problem``'s constants are looked up when it is rendered."""
    tree = ast.parse(path.read_text())
    return sorted(_loose(tree, problems, documents={id(doc) for doc in _documents(tree)}))


def wrongly_filled(path: Path) -> list[str]:
    """Texts of Python whose placeholders are not the names of the values that fill them."""
    found = []
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in {"_", "ngettext"}:
            texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
            given = {word.arg for word in node.keywords}
            asked = {name for text in texts for name in PLACEHOLDER.findall(text)} - {"num"}
            if texts and None not in given and given != asked:
                found.append(texts[0])
    return found


def _documents(tree: ast.Module) -> Iterator[ast.AST]:
    """What stands as a statement, as documents of modules, functions and attributes do, and types as strings."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        elif isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
            yield node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.returns:
            yield node.returns


def _loose(node: ast.AST, problems: set[str], documents: set[int]) -> Iterator[str]:
    if id(node) in documents:
        return
    skipped = set[int]()
    if isinstance(node, ast.Call):
        name = ast.unparse(node.func).rpartition(".")[2]
        if name in LOOKED_UP or name in PROGRAM:
            skipped = {id(arg) for arg in node.args}
            skipped |= {id(word) for word in node.keywords if name in PROGRAM}
        elif name in COMMANDS:
            skipped = {id(word) for word in node.keywords if word.arg in HELP}
        elif name in problems | HOLDERS:
            skipped = {id(arg) for arg in node.args if isinstance(arg, ast.Constant)}
    elif isinstance(node, ast.ClassDef) and node.name in problems:
        skipped = {id(line) for line in node.body if isinstance(line, ast.Assign)}
    elif isinstance(node, ast.Compare | ast.Subscript | ast.Assert):
        return
    text = _text_of(node)
    if text and (SENTENCE.search(PROPER.sub("", text)) or BEGUN.search(text)) and not SQL.search(text):
        yield text
        return
    for child in ast.iter_child_nodes(node):
        if id(child) not in skipped:
            yield from _loose(child, problems, documents)


def _text_of(node: ast.AST) -> str:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return ""
