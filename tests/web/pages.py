"""Reading pages as a browser's parser does: links, and whatever a strict content policy would block."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx


class Page(HTMLParser):
    """One page's links and faults. Faults: inline scripts and styles, handlers in attributes, addresses elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: set[str] = set()
        self.faults: list[str] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        data = given.get("type") == "application/ld+json"  # is never run
        if tag == "style" or (tag == "script" and not given.get("src") and not data):
            self.faults.append(f"inline <{tag}>")
        self.faults += [f"<{tag} {name}>" for name in given if name == "style" or name.startswith("on")]
        self.faults += [f"<{tag} {n}={v}>" for n, v in attrs if (v or "").strip().lower().startswith("javascript:")]
        if tag in {"script", "link", "img"} and given.get("rel") != "canonical":
            source = given.get("src") or given.get("href") or ""
            if urlsplit(source).netloc:
                self.faults.append(f"<{tag}> from elsewhere: {source}")
        if given.get("id"):
            self.ids.append(str(given["id"]))
        for name in ("href", "src"):
            if (given.get(name) or "").startswith("/"):
                self.links.add(str(given[name]).partition("#")[0])


async def crawl(client: httpx.AsyncClient, *starts: str, most: int = 400) -> dict[str, httpx.Response]:
    """Every page that can be reached by links from ``starts``, each address once."""
    waiting, seen = list(starts), {}
    while waiting and len(seen) < most:
        path = waiting.pop()
        if path in seen:
            continue
        seen[path] = await client.get(path)
        if seen[path].headers.get("content-type", "").startswith("text/html"):
            waiting += [urljoin(path, link) for link in Page(seen[path].text).links if link not in seen]
    assert not waiting, f"more than {most} pages"
    return seen
