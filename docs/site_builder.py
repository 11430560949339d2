"""A builder for Sphinx: it writes all pages and their navigation into `site.json`, which the app serves at `/docs`.

A page is kept without a frame: the app renders it in its own layout, under its own content security policy.
`docs/decisions/docs-site.md` says why it is built this way.
"""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinxcontrib.serializinghtml import JSONHTMLBuilder

ROOT = "index"
PARENT = "README"  # this page of a folder stands for the folder
FROM_CODE = ("/docs/errors", "/docs/events", "/api/docs", "/examples/")  # what the app itself serves
HEADING = re.compile(r"<h1>(.*?)</h1>\n?", re.S)


def address(name: str) -> str:
    """Where the app serves the page of the file `name`.md."""
    return "/" + "/".join(part for part in ("docs", *name.split("/")) if part not in {ROOT, PARENT})


class SiteBuilder(JSONHTMLBuilder):
    """Writes one file in place of many. Links are full paths, so that they hold wherever the page is shown."""

    name = "site"
    epilog = "The site is %(outdir)s/site.json."

    def init(self) -> None:
        super().init()
        self.found: dict[str, dict[str, Any]] = {}

    def get_target_uri(self, docname: str, typ: str | None = None) -> str:
        return address(docname)

    def get_relative_uri(self, from_: str, to: str, typ: str | None = None) -> str:
        return address(to)

    def handle_page(self, pagename: str, ctx: dict[str, Any], *args: Any, event_arg: Any = None, **kwargs: Any) -> None:
        if "body" in ctx:
            self.found[address(pagename)] = {
                "title": self.env.titles[pagename].astext(),
                "body": as_our_pages(ctx["body"]),
                "parts": [[part["ids"][0], part.next_node(nodes.title).astext()] for part in parts_of(event_arg)],
                "source": Path(self.env.doc2path(pagename)).read_text(),
            }

    def handle_finish(self) -> None:
        site = {"sections": list(self.sections()), "pages": self.found}
        Path(self.outdir, "site.json").write_text(json.dumps(site, ensure_ascii=False))

    def sections(self) -> Iterable[dict[str, Any]]:
        """The tables of contents of the first page, each with its caption."""
        for tree in self.env.get_doctree(ROOT).findall(addnodes.toctree):
            yield {"title": tree["caption"], "pages": list(self.entries(tree["includefiles"]))}

    def entries(self, names: list[str]) -> Iterable[dict[str, Any]]:
        parents = {name for name in names if name.endswith(f"/{PARENT}")}
        below = {
            parent: [n for n in names if n.startswith(parent.removesuffix(PARENT)) and n != parent]
            for parent in parents
        }
        for name in names:
            if not any(name in children for children in below.values()):
                yield self.entry(name) | {"pages": [self.entry(child) for child in below.get(name, [])]}

    def entry(self, name: str) -> dict[str, Any]:
        return {"title": self.env.titles[name].astext(), "path": address(name)}


def parts_of(document: nodes.document) -> list[nodes.section]:
    """The sections right below the title."""
    return [part for part in document.findall(nodes.section) if isinstance(part.parent.parent, nodes.document)]


def as_our_pages(body: str) -> str:
    """The body without its title, which the layout shows, and marked up as the app's style sheets know it."""
    body = HEADING.sub("", body, count=1)
    body = re.sub(r"<thead>(?:\s|</?tr[^>]*>|<th [^>]*>(?:<p></p>)?</th>)*</thead>", "", body)
    body = re.sub(r'<th class="head">', '<th scope="col">', body)
    body = re.sub(r'<table class="docutils[^"]*">', '<div class="list-wrap"><table class="list">', body)
    body = body.replace("</table>", "</table></div>")
    return body.replace("<pre>", '<pre tabindex="0">')


def link_what_the_app_serves(app: Sphinx, document: nodes.document) -> None:
    """Links to what is no file of this folder, but a page that the app makes from its code."""
    for node in list(document.findall(addnodes.pending_xref)):
        if node["reftarget"].startswith(FROM_CODE):
            node.replace_self(nodes.reference("", "", *node.children, internal=True, refuri=node["reftarget"]))


def setup(app: Sphinx) -> dict[str, Any]:
    app.add_builder(SiteBuilder)
    app.connect("doctree-read", link_what_the_app_serves)
    return {"parallel_read_safe": True}
