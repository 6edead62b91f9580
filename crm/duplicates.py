"""Records that look like one: found in the background, merged or dismissed by a member (N-067, N-078).

Each contact and company carries keys of what would make another one the same: its address without dots and tags, its
name together with its domain, phone or company, a company's domain or bare name. Two live records that share a key
are a pair. A key that many share is no evidence.
"""

import re
import zoneinfo
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Count, QuerySet
from django.utils import timezone

from accounts.models import Account, Membership, Role
from crm import paths, permissions, schema, searching, telling
from crm.models import Duplicate, Record, Source, Why
from notifications import events
from notifications.events import KeyReused
from notifications.models import Event
from notifications.types import contacts as types
from notifications.types import data_quality

MOST_AT_ONCE = 200
COMMON = 20  # a key that more records share says nothing
_LEGAL = re.compile(r"\b(ab|as|asa|bv|co|corp|gmbh|inc|kg|limited|llc|ltd|nv|oy|oyj|plc|sa|sarl|srl)\b\.?")
_PLAIN = re.compile(r"[^\w]+")
_DIGITS = re.compile(r"[^0-9]")


def keys_of(record: Record) -> list[str]:
    """What another record of the same account and kind would have to share to be the same. Pure."""
    pieces = {"contacts": _of_contact, "companies": _of_company}.get(record.kind)
    found = sorted(pieces(record)) if pieces else []
    return [f"{record.account_id}:{record.kind}:{key}"[:300] for key in found]


def _of_contact(record: Record) -> Iterable[str]:
    local, at, domain = record.address.rpartition("@")
    if at:
        bare = local.partition("+")[0].replace(".", "")
        yield f"{Why.ADDRESS}:{bare or local}@{domain}"
    name = " ".join(searching.folded(f"{record.values.get(key, '')}") for key in ("first_name", "last_name")).strip()
    if " " not in name:
        return
    if domain:
        yield f"{Why.NAME}:{name}@{domain}"
    if phone := _DIGITS.sub("", str(record.values.get("phone", "")))[-8:]:
        yield f"{Why.NAME}:{name}#{phone}"
    if company := _bare(str(record.values.get("company_name", ""))):
        yield f"{Why.NAME}:{name}/{company}"
    if not (at or phone or company):
        yield f"{Why.NAME}:{name}"


def _of_company(record: Record) -> Iterable[str]:
    if record.domain:
        yield f"{Why.DOMAIN}:{record.domain.removeprefix('www.')}"
    if len(name := _bare(record.title)) > len("ab"):
        yield f"{Why.NAME}:{name}"


def _bare(name: str) -> str:
    """A company's name without its legal form and punctuation."""
    folded = searching.folded(name)
    return _PLAIN.sub("", _LEGAL.sub("", folded)) or _PLAIN.sub("", folded)


def check_some() -> int:
    """Look at records that were made or changed; returns how many. Safe to run twice and at once.

    NO KEY: a pair of which another worker holds the other record can be written without waiting for it.
    """
    with transaction.atomic():
        rows = list(
            Record.objects.select_for_update(of=("self",), skip_locked=True, no_key=True)
            .filter(to_check=True)
            .select_related("account", "owner__user", "owner__account")
            .order_by("pk")[:MOST_AT_ONCE]
        )
        for row in rows:
            if not row.is_deleted and row.match_keys:
                _check(row)
        Record.objects.filter(pk__in=[row.pk for row in rows]).update(to_check=False)
    return len(rows)


def open_pairs(account: Account, member: Membership, kind: str = "") -> QuerySet[Duplicate]:
    """The pairs nobody has settled, of records that the member may see."""
    seen = Record.objects.live().of(account, kind).visible_to(member)
    return Duplicate.objects.filter(settled_at=None, low__in=seen, high__in=seen).select_related("low", "high")


def dismiss(pair: Duplicate) -> None:
    """Say that two records are not the same. They are not told of again. Twice is once."""
    Duplicate.objects.filter(pk=pair.pk, settled_at=None).update(settled_at=timezone.now())


def report(now: datetime | None = None) -> int:
    """Tell super admins how many pairs were found the day before, per kind; once per account, kind and day (N-078)."""
    now = now or timezone.now()
    told = 0
    recent = Duplicate.objects.filter(found_at__gte=now - timedelta(hours=50), settled_at=None)
    for account in Account.objects.filter(pk__in=recent.values("low__account")):
        start, end, day = _yesterday(account, now)
        pairs = Duplicate.objects.filter(low__account=account, found_at__gte=start, found_at__lt=end, settled_at=None)
        for kind, number in pairs.values_list("low__kind").annotate(number=Count("pk")).order_by("low__kind"):
            told += _report(account, kind, number, key=f"crm.duplicates:{kind}:{day}")
    return told


def _yesterday(account: Account, now: datetime) -> tuple[datetime, datetime, str]:
    """When the account's last day began and ended."""
    zone = zoneinfo.ZoneInfo(account.time_zone)
    today = now.astimezone(zone).date()
    before = today - timedelta(days=1)
    begin = datetime(before.year, before.month, before.day, tzinfo=zone)
    return begin, datetime(today.year, today.month, today.day, tzinfo=zone), before.isoformat()


def _report(account: Account, kind: str, number: int, *, key: str) -> int:
    admins = list(Membership.objects.active().of(account).filter(role=Role.SUPER_ADMIN))
    if not admins or Event.objects.filter(account=account, key=key).exists():
        return 0
    plural = str(schema.kind_of(account, kind).plural).lower()
    try:
        events.emit(
            data_quality.DUPLICATE_FOUND,
            audience=admins,
            account=account,
            data={"kind": plural, "pairs": number, "url": f"/{account.hub_id}/data-quality/duplicates/"},
            key=key,
        )
    except KeyReused:  # another worker was faster, and counted otherwise
        return 0
    return 1


def _check(record: Record) -> None:
    """Write the pairs that a record makes and tell of the new ones. What came by import is told in the day's report."""
    others = list(
        Record.objects.live()
        .filter(match_keys__overlap=record.match_keys)
        .exclude(pk=record.pk)
        .select_related("account", "owner__user", "owner__account")
        .order_by("pk")[: COMMON + 1]
    )
    if len(others) > COMMON:
        return
    for other in others:
        low, high = sorted((record, other), key=lambda one: one.pk)
        shared = min(set(record.match_keys) & set(other.match_keys))
        _pair, made = Duplicate.objects.get_or_create(low=low, high=high, defaults={"why": shared.split(":")[2]})
        if made and record.source != Source.IMPORT:
            _tell(record, other)


def _tell(record: Record, other: Record) -> None:
    """The owners of both hear, if they may see both (N-067)."""
    owners = [one for one in (record.owner, other.owner) if one is not None]
    low, high = sorted((record.pk, other.pk))
    telling.tell(
        types.DUPLICATE_FOUND,
        about=record,
        to=permissions.who_may_see(other, owners),
        by=None,
        data={"record": record.title, "other": other.title, "url": paths.duplicates(record)},
        key=f"crm.duplicate:{low}-{high}",
    )
