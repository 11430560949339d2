"""Publishes ``static/sdk/checkout.js`` as the version it names: ``python -m scripts.publish_sdk``.

What is published is the source without comments and indentation, once as a script and once as a module that exports
what the script puts on ``window``. A published version is never written again: change VERSION in the source first.
"""

import base64
import hashlib
import json
import re
import sys
from pathlib import Path

FOLDER = Path(__file__).parents[1] / "static" / "sdk"
EXPORTS = "export const { PaymentGateway, Checkout } = "
NOT_IN_A_MODULE = "if (typeof module "  # bundlers refuse module.exports beside an export


def version_of(source: str) -> str:
    """The source's own VERSION."""
    found = re.search(r'const VERSION = "([\d.]+)";', source)
    assert found is not None, "the source names no VERSION"
    return found[1]


def script(source: str) -> str:
    """The source as it is published: the first line is its notice and stays."""
    notice, *lines = source.splitlines()
    kept = [re.sub(r" +// .*", "", line).strip() for line in lines if not line.strip().startswith("//")]
    return "\n".join([notice, *(line for line in kept if line)]) + "\n"


def module(source: str) -> str:
    """The same as an ES module: it knows its address by itself and exports."""
    notice, first, *lines, last = script(source).splitlines()
    assert first == "((here) => {", first
    assert last.startswith("})(typeof document"), last
    body = [line for line in lines if not line.startswith(NOT_IN_A_MODULE)]
    return "\n".join([notice, f"{EXPORTS}{first}", *body, "})(import.meta.url);"]) + "\n"


def digest(text: str) -> str:
    """As in ``integrity`` (W3C Subresource Integrity)."""
    return "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()


def main() -> None:
    """Write the version's files and their digests. Ends with a word where that version stands already."""
    source = (FOLDER / "checkout.js").read_text()
    version = version_of(source)
    made = {"checkout.js": script(source), "checkout.mjs": module(source)}
    published = json.loads((FOLDER / "versions.json").read_text())
    if any(digest(text) != published.get(f"{version}/{name}", digest(text)) for name, text in made.items()):
        sys.exit(f"{version} is published already and keeps its bytes: give the source another VERSION.")
    (FOLDER / version).mkdir(exist_ok=True)
    for name, text in made.items():
        (FOLDER / version / name).write_text(text)
        published[f"{version}/{name}"] = digest(text)
    (FOLDER / "versions.json").write_text(json.dumps(published, indent=2) + "\n")


if __name__ == "__main__":
    main()
