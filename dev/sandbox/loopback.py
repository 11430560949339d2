"""The sandbox calls nobody but this machine, whatever it is told."""

from __future__ import annotations

import ipaddress
from collections.abc import Collection
from urllib.parse import urlsplit


def is_loopback_host(host: str) -> bool:
    """Whether a host name or address is this machine: 127.0.0.0/8, ::1 or `localhost`."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_loopback_url(url: str, peers: Collection[str] = ()) -> bool:
    """Whether an http(s) URL stays on this machine, or goes to one of ``peers``: named hosts of a private network."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and host is not None and (host in peers or is_loopback_host(host))
