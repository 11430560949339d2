"""Where the repository's own files are: at the checkout's top level, or, installed from a wheel, inside the package."""

from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def shipped(name: str) -> Path:
    """The path of a file or folder of the repository's top level (``templates``). A wheel carries it in ``app``."""
    inside = PACKAGE / name
    return inside if inside.exists() else PACKAGE.parent / name
