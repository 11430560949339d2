"""Who calls: one address for the many ways proxies write it (RFC 9110, 5.3 and 5.6.1; RFC 7239; X-Forwarded-For).

Only what the trusted proxies wrote counts. They write on the right, so lists are read from the right.
"""

import re
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

IPV6_PREFIX = 64  # bits: what one subscriber is given, and can choose addresses from at will
XFF, FORWARDED = b"x-forwarded-for", b"forwarded"
_PORT = r"(?::[\w.-]*)?"  # a number, or an obfuscated name (RFC 7239, 6.3)
_BRACKETED = re.compile(rf"\[([^\[\]]*)\]{_PORT}")
_WITH_PORT = re.compile(rf"(\d+\.\d+\.\d+\.\d+){_PORT}", re.ASCII)
_FOR = re.compile(r"\s*for\s*=\s*(.*?)\s*", re.IGNORECASE | re.DOTALL)


def parse(text: str) -> str | None:
    """The address in one spelling: no port, brackets, quotes or zone, IPv4 as IPv4. None for what is no address."""
    text = text.strip().strip('"').strip()
    if found := _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text):
        text = found[1]
    try:
        found_address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return str(_plain(found_address))


def _plain(address: IPv4Address | IPv6Address) -> IPv4Address | IPv6Address:
    """An IPv4 address that stands in an IPv6 one (RFC 4291, 2.5.5.2), as itself."""
    return (address.ipv4_mapped if isinstance(address, IPv6Address) else None) or address


def limit_key(address: str) -> str:
    """What limits count by: an IPv4 address, the /64 of an IPv6 one, other text as it is."""
    plain = parse(address)
    if plain is None:
        return address
    return str(ip_network((plain, IPV6_PREFIX), strict=False)) if ":" in plain else plain


def client_address(headers: Iterable[tuple[bytes, bytes]], peer: str, *, hops: int, by_forwarded: bool = False) -> str:
    """The caller's address: the ``hops``-th from the right of what the proxies wrote, else the ``peer``.

    ``headers`` are ASGI's (names in lower case), one a line: lines of one name are one list. ``by_forwarded`` says
    that the proxies write Forwarded; the other header then counts only where theirs is missing. Where a proxy
    hid the address (``unknown``, ``_name``), the nearest one on our side of it counts.
    """
    own = parse(peer) or peer
    if not hops:
        return own
    lines = [(name, value.decode("latin-1")) for name, value in headers if name in (XFF, FORWARDED)]
    chosen = FORWARDED if by_forwarded else XFF
    if all(name != chosen for name, _ in lines):
        chosen = XFF if by_forwarded else FORWARDED
    whole = ",".join(value for name, value in lines if name == chosen)
    chain = _elements(whole, ",") if chosen == XFF else [_for(element) for element in _elements(whole, ",")]
    if len(chain) < hops:
        return own  # it came past a proxy: whoever wrote this list is not one that we trust
    return next(filter(None, map(parse, chain[-hops:])), own)


def _for(element: str) -> str:
    """What a Forwarded element says in ``for``; empty where it says nothing."""
    for pair in _elements(element, ";"):
        if found := _FOR.fullmatch(pair):
            return found[1]
    return ""


def _elements(text: str, separator: str) -> Sequence[str]:
    """The list's elements without the empty ones, split outside quoted strings.

    Read from the right: a quote that a caller leaves open on the left can't swallow what our proxies appended.
    """
    found, quoted, end = [], False, len(text)
    for at in range(len(text) - 1, -1, -1):
        if text[at] == '"' and not _escaped(text, at):
            quoted = not quoted
        elif text[at] == separator and not quoted:
            found.append(text[at + 1 : end])
            end = at
    found.append(text[:end])
    return [element.strip() for element in reversed(found) if element.strip()]


def _escaped(text: str, at: int) -> bool:
    before = text[:at]
    return (len(before) - len(before.rstrip("\\"))) % 2 == 1
