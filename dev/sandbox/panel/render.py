"""Turns what the sandbox knows into pages."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from itertools import islice
from typing import TypeVar
from urllib.parse import urlencode

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.response import Redirect, Template
from litestar.template import TemplateConfig

from app.core.files import shipped
from dev.sandbox.jstext import number_text
from dev.sandbox.times import now_ms, zulu
from dev.sandbox.wire import Call
from dev.sandbox.world import world_of

PAGE_ROWS = 40

R = TypeVar("R")


def template_config() -> TemplateConfig[JinjaTemplateEngine]:
    """Jinja over `templates/`, with escaping, and an error for a name that isn't there."""
    environment = Environment(
        loader=FileSystemLoader(shipped("templates")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"num": number_text, "ago": _ago, "zulu": zulu, "eur": _eur, "two": _two, "web": _web}
    return TemplateConfig(instance=JinjaTemplateEngine.from_environment(environment))


def page(request: Call, name: str, **context: object) -> Template:
    """A page of the panel; `said` and `refused` are what the last form has to say."""
    world, query = world_of(request), request.query_params
    shared = {
        "here": name,
        "said": query.get("said"),
        "refused": query.get("refused"),
        "settings": world.storage.settings,
        "faults_on": len(world.storage.faults),
    }
    return Template(template_name=f"sandbox/{name}.html", context=shared | context)


def rows(request: Call, records: Iterable[R]) -> dict[str, object]:
    """One page of a list: its `rows`, and the numbers of the `newer` and `older` pages, if there are any."""
    text = request.query_params.get("page", "1")
    number = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 7 else 1
    number = max(number, 1)
    found = list(islice(records, (number - 1) * PAGE_ROWS, number * PAGE_ROWS + 1))
    return {
        "rows": found[:PAGE_ROWS],
        "newer": number - 1 if number > 1 else None,
        "older": number + 1 if len(found) > PAGE_ROWS else None,
    }


def back_to(path: str, *, said: str | None = None, refused: str | None = None) -> Redirect:
    """After a form: to a page, with a message."""
    message = {"said": said} if said else {"refused": refused or ""}
    return Redirect(f"{path}{'&' if '?' in path else '?'}{urlencode(message)}", status_code=303)


def _ago(ms: int) -> str:
    seconds = max(now_ms() - ms, 0) // 1000
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds // size} {unit} ago"
    return f"{seconds} s ago" if seconds else "just now"


def _eur(amount: Decimal) -> str:
    return f"€{amount:,.2f}"


def _two(amount: Decimal) -> str:
    return f"{amount:.2f}"


def _web(url: str | None) -> str | None:
    """A link that may be followed: a shop could send any text as its URL."""
    return url if url and url.startswith(("http://", "https://")) else None
