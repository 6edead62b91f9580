"""Where a push may be sent. The address comes from a browser, so without this the server could be sent anywhere.

Only https to public addresses. PUSH_LOOPBACK opens this machine, for tests.
"""

import ipaddress
import socket
from collections.abc import Iterable
from typing import Any
from urllib.parse import SplitResult, urlsplit

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult
from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from accounts.errors import DomainError

LONGEST = 2000
PORTS = {443, 8443}  # a push service has no reason to be elsewhere
NOT_PUBLIC = gettext_noop("This address is not a push service on the public internet.")


class BadEndpoint(DomainError):
    """An address that no push may go to."""

    code = "bad_endpoint"
    status = 422


class NotPublic(OSError):
    """A name that leads to an address inside."""


def origin_of(endpoint: str) -> str:
    """Scheme, host and port: what a VAPID signature is for."""
    parts = urlsplit(endpoint)
    return f"{parts.scheme}://{parts.netloc}"


def check(endpoint: str, *, resolve: bool) -> None:
    """Refuses, as `BadEndpoint`, what does not lead to a public https address; with `resolve` also by its name."""
    parts = _parts(endpoint)
    host = parts.hostname or ""
    given = [host] if _is_literal(host) else []
    if resolve and not given:
        given = _looked_up(host)
    if not all(is_allowed(address) for address in given):
        raise BadEndpoint(_(NOT_PUBLIC))


def _parts(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise BadEndpoint(_(NOT_PUBLIC)) from None
    is_plain = endpoint.isascii() and endpoint.isprintable() and " " not in endpoint and "\\" not in endpoint
    is_known = bool(host) and parts.username is None and parts.password is None and not parts.fragment
    if not (is_plain and is_known and len(endpoint) <= LONGEST):
        raise BadEndpoint(_(NOT_PUBLIC))
    if settings.PUSH_LOOPBACK and host in {"127.0.0.1", "::1", "localhost"} and parts.scheme in {"http", "https"}:
        return parts
    if parts.scheme != "https" or (port or 443) not in PORTS:
        raise BadEndpoint(_(NOT_PUBLIC))
    return parts


def _is_literal(host: str) -> bool:
    """Whether it is an address and no name, also in the odd spellings that the system's resolver takes."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        last = host.rstrip(".").rpartition(".")[2]
        return last.isdecimal() or last.lower().startswith("0x")  # 127.1, 2130706433, 0x7f.1: no name ends so
    return True


def _looked_up(host: str) -> list[str]:
    try:
        return [str(found[4][0]) for found in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise BadEndpoint(_("The push service of this browser was not found. Try again later.")) from None


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
        return bool(settings.PUSH_LOOPBACK)
    return found.is_global and not (found.is_multicast or found.is_reserved)


_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class PublicResolver(AbstractResolver):
    """Looks a name up for a connection that is being made, and refuses it when it leads inside: what was checked
    at registration may lead elsewhere today."""

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
