"""Where the server may go when somebody else named the address: only to public ones, over https.

Without this a member could send the server to a neighbour inside. OUTGOING_LOOPBACK opens this machine, for tests.
A name is looked up again for each connection (`PublicResolver`), because it may lead elsewhere today, and no
redirect is followed.
"""

import ipaddress
import re
import socket
from collections.abc import Collection, Iterable
from functools import lru_cache
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.errors import DomainError

LONGEST = 2000
PORTS = frozenset({443, 8443})
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
NOT_PUBLIC = gettext_noop("This address is not on the public internet, or not https.")
NOT_ASCII = gettext_noop("Write the name in its ASCII form, which begins with xn--.")
NOT_FOUND = gettext_noop("This address was not found. Try again later.")


class BadAddress(DomainError):
    """An address that the server does not go to."""

    code = "bad_address"
    status = 422


class NotPublic(OSError):
    """A name that leads to an address inside."""


def origin_of(url: str) -> str:
    """Scheme, host and port. Nothing where there are none."""
    found = _ORIGIN.match(url)
    return found[0] if found else ""


_ORIGIN = re.compile(r"[A-Za-z]+://[^/?#]+")


def may_receive(url: str, *, ports: frozenset[int] | None = PORTS) -> bool:
    """What `check` says without looking up a name. Asked before each post, so it is remembered for each origin."""
    return _is_plain(url) and _is_fine(origin_of(url), ports, settings.OUTGOING_LOOPBACK)


@lru_cache(maxsize=1024)
def _is_fine(origin: str, ports: frozenset[int] | None, _is_loopback_open: bool) -> bool:
    try:
        check(origin, resolve=False, ports=ports)
    except BadAddress:
        return False
    return True


def check(url: str, *, resolve: bool, ports: frozenset[int] | None = PORTS) -> None:
    """Refuses, as `BadAddress`, what does not lead to a public https address; with `resolve` also by its name.

    `ports`: the only ones allowed, or None for all.
    """
    host, port = _host_and_port(url, ports, is_loopback_open=bool(settings.OUTGOING_LOOPBACK))
    if resolve and not _is_literal(host) and not all(is_allowed(address) for address in _looked_up(host, port)):
        raise BadAddress(_(NOT_PUBLIC))


@lru_cache(maxsize=4096)
def _host_and_port(url: str, ports: frozenset[int] | None, *, is_loopback_open: bool) -> tuple[str, int]:
    """Where an address leads, if its shape is in order; the same ones come again and again. Refusals are not kept."""
    parts = _parts(url, ports)
    host = parts.hostname or ""
    if _is_literal(host) and not is_allowed(host):
        raise BadAddress(_(NOT_PUBLIC))
    return host, parts.port or 443


def _parts(url: str, ports: Collection[int] | None) -> SplitResult:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadAddress(_(NOT_PUBLIC)) from None
    if host and not host.isascii():
        raise BadAddress(_(NOT_ASCII))
    is_known = bool(host) and parts.username is None and parts.password is None and not parts.fragment
    if not (is_known and _is_plain(url)):
        raise BadAddress(_(NOT_PUBLIC))
    if settings.OUTGOING_LOOPBACK and host in LOOPBACK and parts.scheme in {"http", "https"}:
        return parts
    if parts.scheme != "https" or (ports is not None and (port or 443) not in ports):
        raise BadAddress(_(NOT_PUBLIC))
    return parts


def _is_plain(url: str) -> bool:
    """Whether everybody who reads the address reads the same."""
    is_readable = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
    return is_readable and len(url) <= LONGEST


def _is_literal(host: str) -> bool:
    """Whether it is an address and no name, also in the odd spellings that the system's resolver takes."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return last.isdecimal() or last.lower().startswith("0x")  # 127.1, 2130706433, 0x7f.1: no name ends so
    return True


def _looked_up(host: str, port: int) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise BadAddress(_(NOT_FOUND)) from None


def is_allowed(address: str) -> bool:
    """Whether one IP address is on the public internet. What it wraps (IPv4 in IPv6) counts too."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(found, ipaddress.IPv6Address):
        inner = found.ipv4_mapped or found.sixtofour or (found.teredo[1] if found.teredo else None)
        if found in _NAT64:
            inner = ipaddress.IPv4Address(int(found) & 0xFFFFFFFF)
        if inner is not None:
            return is_allowed(str(inner))
    if found.is_loopback:
        return bool(settings.OUTGOING_LOOPBACK)
    return found.is_global and not (found.is_multicast or found.is_reserved)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PublicResolver(AbstractResolver):
    """Looks a name up for a connection that is being made, and refuses it when it leads inside: what was checked
    when it was registered may lead elsewhere today."""

    def __init__(self) -> None:
        self._inner = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        found = await self._inner.resolve(host, port, family)
        _refuse_inside(found)
        return found

    async def close(self) -> None:
        await self._inner.close()


def _refuse_inside(found: Iterable[Any]) -> None:
    if not all(is_allowed(one["host"]) for one in found):
        raise NotPublic(NOT_PUBLIC)
