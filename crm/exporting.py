"""Records into a file, in the background (N-131).

Which records is looked up once and written down in pieces; then the pieces are filled in their order, each in a
transaction of its own. A worker that is killed leaves a piece empty, and whoever comes next fills it: nothing is in the
file twice. What a member may not see when its piece is written is not in it. Exports take turns.
"""

import logging
import zoneinfo
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from crm import browsing, filtering, listing, paths, permissions, schema, searching, spreadsheets
from crm.browsing import Wanted
from crm.filtering import Condition
from crm.kinds import Kind
from crm.models import Export, ExportPart, Record
from crm.models.records import RecordQuerySet
from crm.spreadsheets import Sheet
from notifications import events
from notifications.types import system

IN_A_PART = 500  # with the longest texts still few enough to be held at once
MOST_TICKED = 500
MOST_AT_ONCE = 5  # under way for one member, or for the programs of an account
PROGRESS = ("columns", "total", "seen", "rows", "size", "cancelled_at", "finished_at", "expires_at")
LISTED_DAYS = 365  # how long an export that expired is still named, without its file

log = logging.getLogger(__name__)


class InvalidExport(DomainError):
    code = "invalid_export"
    status = 422


class TooManyExports(DomainError):
    code = "too_many_exports"


class ExportNotReady(DomainError):
    code = "export_not_ready"


class ExportExpired(DomainError):
    code = "export_expired"
    status = 410


def start(
    account: Account,
    kind: Kind,
    *,
    by: Membership | None,
    wanted: Wanted | None = None,
    conditions: Sequence[Condition] = (),
    ids: Sequence[int] | None = None,
    columns: Sequence[str] = (),
    has_bom: bool = True,
) -> Export:
    """Ask for a file of these records, or of all that match. Written down here, done by a worker.

    `by`: whose it is, and who hears when it is ready; None: a program's. No `columns`: all properties.
    """
    _check(kind, conditions, ids, columns, zone=_zone(account, by))
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # counted one after the other
        if Export.objects.asked_by(account, by).under_way().count() >= MOST_AT_ONCE:
            raise TooManyExports(
                _("%(most)d exports are under way already. Wait until one is ready, or cancel one.")
                % {"most": MOST_AT_ONCE}
            )
        export = Export.objects.create(
            account=account,
            by=by,
            kind=kind.key,
            query=wanted.as_query() if wanted else {},
            conditions=[[one.property, one.operator, one.value] for one in conditions],
            ids=None if ids is None else list(dict.fromkeys(ids)),
            columns=list(columns),
            has_bom=has_bom,
            file=f"{kind.key}-{timezone.now().astimezone(_zone(account, by)).date().isoformat()}.csv",
        )
        transaction.on_commit(_wake, robust=True)
    return export


def cancel(export: Export) -> None:
    """Stop, and forget what was written. One that is ready stays. Twice is once."""
    Export.objects.under_way().filter(pk=export.pk, cancelled_at=None).update(cancelled_at=timezone.now())


@transaction.atomic
def delete(export: Export) -> None:
    """Erase an export and its file."""
    Export.objects.filter(pk=export.pk).delete()


def check_ready(export: Export) -> None:
    """Refuse to hand out what is not ready (`ExportNotReady`) or has expired (`ExportExpired`)."""
    if export.is_expired:
        raise ExportExpired(
            _("This export has expired: files are kept for %(days)d days. Export the records again.")
            % {"days": settings.EXPORT_DAYS}
        )
    if not export.is_ready:
        raise ExportNotReady(_("This export is not ready."))


def content(export: Export) -> Iterator[bytes]:
    """The file, piece by piece: no more than one is held at a time."""
    number = 0
    while (piece := piece_of(export, number)) is not None:
        yield piece
        number += 1


def piece_of(export: Export, number: int) -> bytes | None:
    found = ExportPart.objects.filter(export=export, number=number).values_list("content", flat=True).first()
    return None if found is None else bytes(found)


def erase_old() -> None:
    """Erase the files that have expired, and long after that their names too."""
    now = timezone.now()
    ExportPart.objects.filter(export__expires_at__lte=now).delete()
    Export.objects.filter(expires_at__lte=now - timedelta(days=LISTED_DAYS)).delete()
    Export.objects.filter(cancelled_at__lte=now - timedelta(days=settings.EXPORT_DAYS)).delete()


def step() -> bool:
    """Do a piece of the export that waited longest. False: nothing is under way, or others are at all of it."""
    with transaction.atomic():
        rows = Export.objects.under_way().select_for_update(of=("self",), skip_locked=True)
        export = rows.select_related("account", "by__user", "by__account").order_by("touched_at").first()
        if export is None:
            return False
        export.touched_at = timezone.now()
        language = export.by.spoken_language if export.by else export.account.language
        try:
            with transaction.atomic(), translation.override(language):
                _advance(export)
        except Exception:
            log.exception("The export %s stumbled; it is tried again after the others", export.pk)
            Export.objects.filter(pk=export.pk).update(touched_at=export.touched_at)
            return False
        export.save(update_fields=["touched_at", *PROGRESS])
        return True


def _advance(export: Export) -> None:
    now = timezone.now()
    if export.by and not (export.by.is_active and export.by.user.is_active):
        export.cancelled_at = export.cancelled_at or now
    if export.cancelled_at is not None:
        export.parts.all().delete()
        export.finished_at = now
    elif export.total is None:
        _gather(export)
    elif not _fill(export):
        export.finished_at = now
        export.expires_at = now + timedelta(days=settings.EXPORT_DAYS)
        _tell(export)


def _gather(export: Export) -> None:
    """Write down which records the file will have, piece by piece and in the order of the list."""
    kind = schema.kind_of(export.account, export.kind)
    sheet = _sheet(export, kind)
    head = (spreadsheets.BOM if export.has_bom else b"") + sheet.head()
    ExportPart.objects.create(export=export, number=0, content=head)
    export.columns = [one.key for one in sheet.columns]  # from here on they stay, whatever becomes of the properties
    export.size, export.total = len(head), 0
    for number, ids in enumerate(_cut(_wanted(export, kind)), start=1):
        export.total += len(ids)
        ExportPart.objects.create(export=export, number=number, ids=ids)


def _cut(ids: Iterable[int]) -> Iterator[list[int]]:
    piece: list[int] = []
    for pk in ids:
        piece.append(pk)
        if len(piece) == IN_A_PART:
            yield piece
            piece = []
    if piece:
        yield piece


def _wanted(export: Export, kind: Kind) -> Iterable[int]:
    """The ids, in order. One long query; a million ids are held nowhere at once."""
    if export.ids is not None:
        return export.ids
    wanted = Wanted.read(kind, export.query)
    conditions = [Condition(*one) for one in export.conditions]
    rows = filtering.narrowed(_matching(export, kind, wanted), kind, conditions, zone=_zone(export.account, export.by))
    column, is_turned = listing.SORTS[wanted.sort]
    order = [f"-{column}", "-pk"] if is_turned else [column, "pk"]
    return rows.order_by(*order).values_list("pk", flat=True).iterator(chunk_size=10_000)


def _matching(export: Export, kind: Kind, wanted: Wanted) -> RecordQuerySet:
    if export.by is not None:
        return browsing.matching(export.by, kind, wanted)
    rows = Record.objects.of(export.account, kind.key).live()
    return searching.matching(rows, export.account, wanted.words) if wanted.words else rows


def _fill(export: Export) -> bool:
    """Write the lines of the next piece. False: there is none."""
    part = export.parts.filter(content=None).order_by("number").first()
    if part is None:
        return False
    kind = schema.kind_of(export.account, export.kind)
    there = Record.objects.live().of(export.account, kind.key)
    if export.by is not None:
        there = there.filter(permissions.within_kind(export.by, kind.key))
    found = there.in_bulk(part.ids)
    rows = [found[pk] for pk in part.ids if pk in found]
    part.content = _sheet(export, kind).lines(rows)
    part.save(update_fields=["content"])
    export.seen += len(part.ids)
    export.rows += len(rows)
    export.size += len(part.content)
    return True


def _sheet(export: Export, kind: Kind) -> Sheet:
    columns = spreadsheets.columns_of(kind, export.columns)
    return Sheet(export.account, kind, columns, _zone(export.account, export.by))


def _tell(export: Export) -> None:
    if export.by is None:
        return
    events.emit(
        system.EXPORT_READY,
        audience=[export.by],
        account=export.account,
        data={"file": export.file, "rows": export.rows, "days": settings.EXPORT_DAYS, "url": paths.export(export)},
        key=f"crm.export:{export.pk}",
    )


def _check(
    kind: Kind,
    conditions: Sequence[Condition],
    ids: Sequence[int] | None,
    columns: Sequence[str],
    *,
    zone: zoneinfo.ZoneInfo,
) -> None:
    filtering.narrowed(Record.objects.none(), kind, conditions, zone=zone)  # refuses what cannot be understood
    if ids is not None and not ids:
        raise InvalidExport(_("Choose at least one record first."))
    if ids is not None and len(ids) > MOST_TICKED:
        raise InvalidExport(_("At most %(most)d records can be ticked at once.") % {"most": MOST_TICKED})
    there = {one.key for one in spreadsheets.columns_of(kind, ())}
    if unknown := [key for key in columns if key not in there]:
        words = _("%(kind)s has no such property: %(keys)s.") % {"kind": kind.label, "keys": ", ".join(unknown)}
        raise InvalidExport(words, fields={"properties": [words]})


def _zone(account: Account, by: Membership | None) -> zoneinfo.ZoneInfo:
    return by.zone if by else zoneinfo.ZoneInfo(account.time_zone)


def _wake() -> None:
    from crm.tasks import write_exports  # domain modules know no Celery
    from notifications.tasks import wake

    wake(write_exports)
