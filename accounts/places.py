"""Where an address on the internet is, as far as we can tell without asking anybody outside.

A GeoLite City file (GEOLITE_FILE) names country and city. Without one a place is the network: the part of the
address that a provider keeps when it hands out a new one.
"""

import ipaddress
import logging
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import maxminddb
from django.conf import settings
from django.utils.translation import get_language
from django.utils.translation import gettext as _

V4_PREFIX, V6_PREFIX = 16, 32

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Place:
    """Where somebody was: for comparing (`network`, `country`), and in words in the language that is active."""

    network: str
    country: str
    words: str


def of(address: str) -> Place:
    """The place of an IP address. One that cannot be read is a place of its own."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return Place("", "", _("an unknown place"))
    if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
        found = found.ipv4_mapped
    network = ipaddress.ip_network(f"{found}/{V4_PREFIX if found.version == 4 else V6_PREFIX}", strict=False)
    if not found.is_global:
        return Place(str(network), "", _("a private network"))
    record = _record(str(found))
    country = record.get("country") or {}
    names = [name for part in (record.get("city"), country) if (name := _name(part or {}))]
    words = ", ".join(names) or _("the network %(network)s") % {"network": network}
    return Place(str(network), str(country.get("iso_code", ""))[:2], words[:200])


def _name(part: dict[str, Any]) -> str:
    names = part.get("names") or {}
    return str(names.get(get_language() or "en") or names.get("en") or "")


def _record(address: str) -> dict[str, Any]:
    if not settings.GEOLITE_FILE:
        return {}
    try:
        found = _reader(settings.GEOLITE_FILE).get(address)
    except (OSError, ValueError, maxminddb.InvalidDatabaseError) as fault:
        log.warning("the GeoLite file cannot be read (%s): places are networks", type(fault).__name__)
        return {}
    return found if isinstance(found, dict) else {}


@lru_cache(maxsize=2)
def _reader(path: str) -> maxminddb.Reader:
    return maxminddb.open_database(path)
