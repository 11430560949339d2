"""Where a merchant's URL may lead: never to ourselves, our network, or a spelling that two parsers read differently.

Sources: RFC 3986, RFC 5890 (IDNA 2008), RFC 6761 (special-use names), IANA's IPv4 and IPv6 special-purpose registries.
"""

import ipaddress
import re
from dataclasses import dataclass

import idna

from app.core.i18n import _

MAX_URL_CHARS = 2000
MAX_HOST_CHARS = 253
LOOPBACK = {"localhost": ("127.0.0.1", "::1"), "127.0.0.1": ("127.0.0.1",), "::1": ("::1",)}
DEFAULT_PORTS = {"https": 443, "http": 80}

# Below 1024 stand mail, shells, directories and the like. These above are the databases, caches, brokers and consoles
# that trust whoever reaches them, so that nobody makes us knock there; receivers run on 443, 3000, 8443 and so on.
INTERNAL_PORTS = frozenset(
    {
        1025, 1080, 1099, 1433, 1434, 1521, 2049, 2181, 2375, 2376, 2379, 2380, 3128, 3260, 3306, 3389, 4369,
        5432, 5433, 5671, 5672, 5900, 5984, 5985, 5986, 6000, 6379, 6380, 6443, 6660, 6667, 8086, 8500,
        8600, 9042, 9092, 9160, 9200, 9300, 9418, 10250, 10255, 10256, 11211, 15672, 16379, 25672, 26379,
        27017, 27018, 27019, 28015, 50070, 61616,
    }
)  # fmt: skip

# Names that stand for a machine, a house or a cloud's inside, never for a shop on the internet.
INTERNAL_NAMES = frozenset(
    {
        "localhost", "localdomain", "local", "internal", "intranet", "private", "corp", "home", "lan", "arpa", "onion",
        "test", "example", "invalid", "alt", "consul", "cluster", "svc",
    }
)  # fmt: skip

# `is_global` of ipaddress differs between patch versions (CVE-2024-4032), so what is closed is written out.
CLOSED_V4 = tuple(
    ipaddress.IPv4Network(net)
    for net in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "168.63.129.16/32",  # Azure's inside, though the number is public
    )
)  # fmt: skip
OPEN_V6 = ipaddress.IPv6Network(
    "2000::/3"
)  # all else (mapped, compatible, NAT64, ULA, link-local, multicast) is closed
CLOSED_V6 = tuple(
    ipaddress.IPv6Network(net)
    for net in (
        "2001::/23",  # protocols: Teredo (an IPv4 within), ORCHID, benchmarking, AMT
        "2001:db8::/32",
        "2002::/16",  # 6to4: an IPv4 within
        "2620:4f:8000::/48",
        "3fff::/20",
    )
)
_ISATAP = re.compile(rb".{8}[\x00\x02]\x00\x5e\xfe.{4}", re.DOTALL)  # an IPv4 within, RFC 5214

_URL = re.compile(
    r"(?P<scheme>https?)://(?:\[(?P<v6>[0-9a-f:.]{2,45})\]|(?P<host>[^\x00-\x20\x7f\[\]:/?#@\\%]+))"
    r"(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
    r"(?P<query>\?(?:[A-Za-z0-9._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


class Refused(Exception):
    """We don't send there. ``why`` is a sentence for the merchant."""

    def __init__(self, why: str) -> None:
        self.why = why
        super().__init__(why)


@dataclass(frozen=True, slots=True)
class Target:
    """A URL taken apart. ``addresses`` where the URL itself names them; else the name has still to be resolved."""

    scheme: str
    host: str
    port: int
    path: str
    query: str
    addresses: tuple[str, ...] = ()

    @property
    def authority(self) -> str:
        """As the Host header says it: the port only where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == DEFAULT_PORTS[self.scheme] else f"{host}:{self.port}"


def read_url(url: str, *, loopback: bool) -> Target:
    """Take a URL apart, strictly: what is unusual is refused rather than understood. Raises Refused.

    ``loopback``: localhost, 127.0.0.1 and [::1] are allowed, by http too. No name is resolved here.
    """
    if len(url) > MAX_URL_CHARS:
        raise Refused(_("The URL is longer than %(longest)s characters.", longest=MAX_URL_CHARS))
    parts = _URL.fullmatch(url)
    if parts is None:
        raise Refused(_fault(url))
    scheme, host = parts["scheme"].lower(), _host(parts["v6"], parts["host"])
    port = int(parts["port"] or DEFAULT_PORTS[scheme])
    near = host in LOOPBACK
    if near and not loopback:
        raise Refused(_("The URL must not lead to this machine."))
    if scheme == "http" and not near:
        raise Refused(_("The URL must begin with https://."))
    if port not in DEFAULT_PORTS.values() and not (1024 <= port <= 65535 and port not in INTERNAL_PORTS):
        raise Refused(
            _(
                "Port %(port)s is not allowed for webhooks: use 443, or a port from 1024 that no database uses.",
                port=port,
            )
        )
    if port in DEFAULT_PORTS.values() and port != DEFAULT_PORTS[scheme]:
        raise Refused(_("Port %(port)s does not match %(scheme)s.", port=port, scheme=scheme))
    addresses = LOOPBACK[host] if near else _named_in_url(host)
    return Target(scheme, host, port, parts["path"] or "/", (parts["query"] or "")[1:], addresses)


def check_address(address: str) -> str:
    """The address in its one spelling, if anybody on the internet may reach it. Raises Refused."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        raise Refused(_("The name does not resolve to an address.")) from None
    if isinstance(ip, ipaddress.IPv4Address):
        closed = any(ip in net for net in CLOSED_V4)
    else:
        closed = ip not in OPEN_V6 or any(ip in net for net in CLOSED_V6) or bool(_ISATAP.fullmatch(ip.packed))
    if closed or ip.is_multicast or not ip.is_global:
        raise Refused(_("The URL leads to %(ip)s, which is not a public address.", ip=ip))
    return str(ip)


def _host(v6: str | None, name: str | None) -> str:
    """The host in its one spelling: an address as the RFCs write it, a name in ASCII and lower case."""
    if v6 is not None:
        try:
            return str(ipaddress.IPv6Address(v6))
        except ValueError:
            raise Refused(_("The IPv6 address can't be read.")) from None
    assert name is not None
    # Only ASCII is lowered: lowering others maps look-alikes, as the Kelvin sign to a k.
    lowered = "".join(c.lower() if c.isascii() else c for c in name)
    if any(dot in lowered for dot in "\u3002\uff0e\uff61"):
        raise Refused(_("The host name has characters that only look like dots."))
    if lowered == "localhost":
        return lowered
    try:
        ascii_name = idna.encode(lowered, std3_rules=True).decode()
    except (idna.IDNAError, UnicodeError):
        raise Refused(_("The host name is not valid (RFC 5890).")) from None
    return _public_name(ascii_name)


def _public_name(name: str) -> str:
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.IPv4Address(name))
        except ValueError:
            raise Refused(_("Write an IPv4 address as four decimal numbers without leading zeros.")) from None
    # One label is a machine of the local network; a last dot makes a second spelling of the same name.
    if len(name) > MAX_HOST_CHARS or not _NAME.fullmatch(name):
        raise Refused(_("The host must be a full name, such as hooks.shop.com, without a dot at its end."))
    if labels[-1] in INTERNAL_NAMES:
        raise Refused(_("Names under .%(name)s are not on the internet.", name=labels[-1]))
    return name


def _named_in_url(host: str) -> tuple[str, ...]:
    literal = ":" in host or host.replace(".", "").isdigit()
    return (check_address(host),) if literal else ()


def _fault(url: str) -> str:
    """The commonest reasons why a URL can't be taken apart, in words."""
    if not url.lower().startswith(("https://", "http://")):
        return _("The URL must begin with https://.")
    if "#" in url:
        return _("The URL must not have a fragment (#…): it is never sent.")
    if "@" in re.split(r"[/?]", url[8:], maxsplit=1)[0]:
        return _("The URL must not contain a user name or password.")
    return _("The URL can't be read: write https://host/path, with anything unusual percent-encoded.")
