"""Our own Markdown as HTML: headings, paragraphs, lists, tables, code and links, which is all that our pages use."""

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

INLINE = re.compile(r"`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)\s]+)\)")
ITEM = re.compile(r"(?:-|(\d+)\.) +")
BREAKS = re.compile(r"#{1,3} |```|\||- |\d+\. ")


def rendered(text: str) -> Markup:
    """``text`` without its title line, as HTML. Whatever is no Markdown of ours is shown as it stands."""
    return Markup("\n").join(_blocks(text.splitlines()))


def _blocks(lines: list[str]) -> Iterator[Markup]:
    at = 0
    while at < len(lines):
        line, begin = lines[at], at
        at += 1
        if not line.strip() or line.startswith("# "):
            continue
        if line.startswith("```"):
            while at < len(lines) and not lines[at].startswith("```"):
                at += 1
            yield Markup('<pre tabindex="0"><code>{}</code></pre>').format("\n".join(lines[begin + 1 : at]))
            at += 1
        elif line.startswith("#"):
            marks, _, title = line.partition(" ")
            yield Markup("<h{0}>{1}</h{0}>").format(len(marks), inline(title))
        elif line.startswith("|"):
            while at < len(lines) and lines[at].startswith("|"):
                at += 1
            yield _table(lines[begin:at])
        elif ITEM.match(line):
            while at < len(lines) and (ITEM.match(lines[at]) or lines[at].startswith("  ")):
                at += 1
            yield _list(lines[begin:at])
        else:
            while at < len(lines) and lines[at].strip() and not BREAKS.match(lines[at]):
                at += 1
            yield Markup("<p>{}</p>").format(inline(" ".join(lines[begin:at])))


def _list(lines: list[str]) -> Markup:
    items: list[str] = []
    for line in lines:
        if found := ITEM.match(line):
            items.append(line[found.end() :])
        else:
            items[-1] += f" {line.strip()}"
    tag = "ol" if lines[0][0].isdigit() else "ul"
    return Markup("<{0}>{1}</{0}>").format(tag, _all("<li>{}</li>", items))


def _table(lines: list[str]) -> Markup:
    head, *rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))] for line in lines]
    body = Markup().join(Markup("<tr>{}</tr>").format(_all("<td>{}</td>", row)) for row in rows[1:])
    return Markup(
        '<div class="list-wrap"><table class="list"><thead><tr>{}</tr></thead><tbody>{}</tbody></table></div>'
    ).format(_all('<th scope="col">{}</th>', head), body)


def _all(tag: str, texts: list[str]) -> Markup:
    return Markup().join(Markup(tag).format(inline(text)) for text in texts)  # noqa: S704 - a tag of ours


def inline(text: str) -> Markup:
    """A line with its code, bold words and links."""
    parts, last = [], 0
    for found in INLINE.finditer(text):
        code, bold, label, href = found.groups()
        parts.append(escape(text[last : found.start()]))
        if code:
            parts.append(Markup("<code>{}</code>").format(code))
        elif bold:
            parts.append(Markup("<strong>{}</strong>").format(inline(bold)))
        else:
            parts.append(Markup('<a href="{}">{}</a>').format(href, inline(label)))
        last = found.end()
    return Markup().join([*parts, escape(text[last:])])
