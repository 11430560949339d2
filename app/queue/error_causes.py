"""What dead letters have in common: an error without what is different in each of them."""

import re

LONGEST = 120  # characters; the column's width
READ = 600  # characters of an error that are looked at
_QUOTED = re.compile(r"\"[^\"]*\"|“[^”]*”|(?<!\w)'[^']*'(?!\w)")
_ADDRESS = re.compile(r"\S+@\S+|https?://\S+")
# Words with a digit are ids, numbers, amounts, dates; long runs of capitals are ids that happen to have none.
_ID = re.compile(r"[\w.:-]*\d[\w.:-]*|\b[A-Z]{9,}\b")
_RUN = re.compile(r"…(?:[\s,/]*…)+")


def cause_of(error: str) -> str:
    """``ProviderDown: kinguin.find: 503: no reason given`` and the same with a 502 are one cause. Pure."""
    text = " ".join(error[:READ].split())
    for pattern in (_ADDRESS, _QUOTED, _ID):
        text = pattern.sub("…", text)
    return _RUN.sub("…", text)[:LONGEST].strip() or "no error was recorded"
