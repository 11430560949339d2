"""Browsers by the names that people call them."""

import re

from app.core.i18n import _

# The first mark that a browser's word about itself holds names it: nearly all also claim to be the ones below.
BROWSERS = {
    "Edg": "Edge",
    "OPR/": "Opera",
    "SamsungBrowser": "Samsung Internet",
    "Firefox": "Firefox",
    "FxiOS": "Firefox",
    "CriOS": "Chrome",
    "Chrome": "Chrome",
    "Safari": "Safari",
}
SYSTEMS = {
    "iPhone": "iPhone",
    "iPad": "iPad",
    "Android": "Android",
    "Windows": "Windows",
    "Mac OS": "Mac",
    "CrOS": "ChromeOS",
    "Linux": "Linux",
}
PROGRAM = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{1,30}(?=/|$)")


def browser_name(user_agent: str) -> str:
    """``Firefox on Windows``; a program by its own name; empty where nothing is known. A browser may say anything."""
    name = next((name for mark, name in BROWSERS.items() if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS.items() if mark in user_agent), "")
    if name or system:
        browser = name or _("A browser")
        return _("%(browser)s on %(system)s", browser=browser, system=system) if system else browser
    program = PROGRAM.match(user_agent.removeprefix("Mozilla/"))
    return program[0] if program else ""
