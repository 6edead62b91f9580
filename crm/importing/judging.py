"""What becomes of a row: it makes a record, changes one, changes nothing, is refused, or stands there twice.

The dry run and the import ask here, so they differ only where the world changed in between. A batch of rows costs a
handful of queries, whatever it holds.
"""

import zoneinfo
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import checking, permissions, properties, records, schema
from crm.errors import AddressTaken
from crm.importing import cells
from crm.importing.plans import ID, NOTHING, Plan
from crm.kinds import Kind, Property
from crm.models import ImportJob, ImportRow, Record, RowOutcome, Source
from crm.models.records import RecordQuerySet

STANDS = (RowOutcome.CREATED, RowOutcome.UPDATED, RowOutcome.UNCHANGED)
LONGEST = 500  # of a sentence about a row


@dataclass
class Verdict:
    """What is to become of one row, and why not. `given` is what its record gets."""

    outcome: str
    given: dict[str, object] = field(default_factory=dict)
    record: Record | None = None
    reasons: list[tuple[str, str]] = field(default_factory=list)


def zone_of(job: ImportJob) -> zoneinfo.ZoneInfo:
    """Where the file's times are meant: where who imports is."""
    return job.by.zone if job.by else zoneinfo.ZoneInfo(job.account.time_zone)


def editable(job: ImportJob, kind: Kind, by: Membership | None) -> RecordQuerySet:
    """The live records of the kind that the member may change; a program may change all of its account."""
    rows = Record.objects.live().select_related("account")
    return rows.filter(permissions.within_kind(by, kind.key, "edits")) if by else rows.of(job.account, kind.key)


class Batch:
    """Some rows in their order. `stage`: the field that holds how earlier rows of the file went."""

    def __init__(self, job: ImportJob, rows: Sequence[ImportRow], *, stage: str) -> None:
        self.job, self.rows, self.stage = job, rows, stage
        self.plan = Plan.read(job.plan)
        self.kind = schema.kind_of(job.account, job.kind)
        self.zone = zone_of(job)
        self.reader = cells.reader(job.account, self.kind, self.plan, self.zone, [row.cells for row in rows])
        self.read = {row.number: self._read(row) for row in rows}
        for row in rows:
            row.key = self._key(self.read[row.number][0])
        self.firsts = self._firsts()
        self.found = self._found()
        self.taken = self._taken()
        self.mine = set(
            editable(job, self.kind, job.by)
            .filter(pk__in=[one.pk for several in self.found.values() for one in several])
            .values_list("pk", flat=True)
        )

    def verdict(self, row: ImportRow) -> Verdict:
        """What is to become of a row, as far as can be said without writing."""
        given, problems = self.read[row.number]
        if row.problem:
            return Verdict(RowOutcome.REFUSED, reasons=[("", row.problem)])
        if any(cell.strip() for cell in row.cells[len(self.plan.columns) :]):
            return Verdict(RowOutcome.REFUSED, reasons=[("", self._too_many(row))])
        if problems:
            return Verdict(RowOutcome.REFUSED, reasons=problems)
        if row.key and (first := self.firsts.get(row.key)) and first.number < row.number:
            said = _("The same as line %(number)d.") % {"number": first.line}
            return Verdict(RowOutcome.DUPLICATE, reasons=[("", said)])
        verdict = self._matched(row, given)
        if row.key and verdict.outcome in STANDS:
            self.firsts.setdefault(row.key, row)
        return verdict

    def rehearsed(self, row: ImportRow, verdict: Verdict) -> Verdict:
        """The verdict after asking whether what the row says could be saved. Writes nothing."""
        if verdict.outcome not in (RowOutcome.CREATED, RowOutcome.UPDATED):
            return verdict
        try:
            changes = self._rehearse(verdict)
        except DomainError as error:
            return self.refused(row, self.reasons(error))
        return verdict if changes else Verdict(RowOutcome.UNCHANGED, record=verdict.record)

    def refused(self, row: ImportRow, reasons: list[tuple[str, str]]) -> Verdict:
        """The row is not taken; a later one with the same key may be."""
        if row.key and self.firsts.get(row.key) == row:
            del self.firsts[row.key]
        return Verdict(RowOutcome.REFUSED, reasons=reasons)

    def reasons(self, error: DomainError) -> list[tuple[str, str]]:
        """A refusal as pairs: the column it is about, the sentence."""
        found = [(self._column(key), line[:LONGEST]) for key, lines in error.fields.items() for line in lines]
        return found or [("", str(error)[:LONGEST])]

    def _rehearse(self, verdict: Verdict) -> bool:
        """Whether anything would change. Refuses as `records.create` and `records.change` would."""
        account, record = self.job.account, verdict.record
        new = record is None
        cleaned = checking.cleaned(self.kind, verdict.given, account=account, zone=self.zone, is_new=new)
        holder = self.taken.get(str(cleaned.get("email")))
        if holder is not None and (record is None or holder != record.pk):
            raise AddressTaken(str(cleaned["email"]), holder)
        if record is None:
            record = Record(account=account, kind=self.kind.key, source=Source.IMPORT)
        changes = {key for key, value in cleaned.items() if records.current(record, self.kind, key) != value}
        for key, value in cleaned.items():
            records.put(record, self.kind, key, value)
        records.settle(record, self.kind)
        return new or bool(changes)

    def _read(self, row: ImportRow) -> tuple[dict[str, object], list[tuple[str, str]]]:
        """What the cells say, by property, and what cannot be understood. Empty cells say nothing."""
        given: dict[str, object] = {}
        problems: list[tuple[str, str]] = []
        for place, key in enumerate(self.plan.columns):
            cell = row.cells[place].strip() if place < len(row.cells) else ""
            if key == NOTHING or not cell or row.problem:
                continue
            one = self.kind.find(key)
            try:
                if key == ID:
                    given[ID] = _id(cell)
                elif one is not None:
                    value = self.reader.read(one, cell)
                    properties.parsed(one, value, zone=self.zone)
                    given[key] = value
            except ValueError as error:
                problems.append((self.job.columns[place], str(error)[:LONGEST]))
        return given, problems

    def _key(self, given: dict[str, object]) -> str:
        """What finds the row's record: its number, or the property it is matched by; contacts have one address each."""
        key = self.plan.match or next((one.key for one in self.kind.properties if one.is_unique), NOTHING)
        value = given.get(key)
        if value is None:
            return ""
        one = self.kind.find(key)
        try:
            return str(value if one is None else properties.parsed(one, value, zone=self.zone) or "")[:320]
        except ValueError:
            return ""

    def _firsts(self) -> dict[str, ImportRow]:
        """The first row of the file with each key that was not refused, as far as it was settled before this batch."""
        keys = {row.key for row in self.rows if row.key}
        if not keys:
            return {}
        before = ImportRow.objects.filter(job=self.job, key__in=keys, number__lt=self.rows[0].number)
        rows = before.filter(**{f"{self.stage}__in": STANDS}).order_by("-number").only("key", "number", "line")
        return {row.key: row for row in rows}

    def _found(self) -> dict[str, list[Record]]:
        """The live records that each key finds. At most one query."""
        key = self.plan.match
        keys = {row.key for row in self.rows if row.key}
        if key == NOTHING or not keys:
            return {}
        rows = Record.objects.live().of(self.job.account, self.kind.key).select_related("account")
        found: defaultdict[str, list[Record]] = defaultdict(list)
        for record in rows.filter(self._condition(key, keys)).order_by("pk"):
            found[str(record.pk if key == ID else records.current(record, self.kind, key))].append(record)
        return found

    def _taken(self) -> dict[str, int]:
        """Which of the addresses another contact has already, where contacts are not found by them anyway."""
        one = next((one for one in self.kind.properties if one.is_unique), None)
        if one is None or self.plan.match == one.key:
            return {}
        texts = [value for given, _problems in self.read.values() if (value := given.get(one.key))]
        addresses = [properties.parsed(one, text, zone=self.zone) for text in texts]
        rows = Record.objects.live().of(self.job.account, self.kind.key).filter(address__in=addresses)
        return dict(rows.exclude(address="").values_list("address", "pk"))

    def _condition(self, key: str, keys: Iterable[str]) -> Q:
        one = self.kind.find(key)
        if key == ID or one is None:
            return Q(pk__in=[int(value) for value in keys])
        if one.column:
            return Q(**{f"{one.column}__in": list(keys)})
        condition = Q()
        for value in keys:
            condition |= Q(values__contains={key: self._kept(one, value)})
        return condition

    def _kept(self, one: Property, value: str) -> object:
        """A key as the property keeps it: numbers are numbers."""
        return properties.parsed(one, value, zone=self.zone)

    def _matched(self, row: ImportRow, given: dict[str, object]) -> Verdict:
        number = given.pop(ID, None)
        found = self.found.get(row.key, []) if row.key else []
        if number is not None and not found:
            return self._refused(ID, _("There is no %(kind)s %(number)s.") % {"kind": self._one(), "number": number})
        if not found:
            return Verdict(RowOutcome.CREATED, given)
        if len(found) > 1:
            several = ", ".join(f"#{one.pk}" for one in found[:5])
            return self._refused(self.plan.match, _("Several records have this: %(several)s.") % {"several": several})
        if self.plan.existing == "leave":
            return Verdict(RowOutcome.UNCHANGED, record=found[0], reasons=[("", _("It is there; left as it is."))])
        if found[0].pk not in self.mine:
            return self._refused(
                self.plan.match, _("You may not change the %(kind)s there is.") % {"kind": self._one()}
            )
        return Verdict(RowOutcome.UPDATED, given, found[0])

    def _refused(self, key: str, sentence: str) -> Verdict:
        return Verdict(RowOutcome.REFUSED, reasons=[(self._column(key), sentence)])

    def _column(self, key: str) -> str:
        """The name of the column that a property comes from; of the property where none does."""
        place = self.plan.place(key)
        if place is not None:
            return str(self.job.columns[place])
        one = self.kind.find(key)
        return str(one.label) if one else ""

    def _one(self) -> str:
        return str(self.kind.label).lower()

    def _too_many(self, row: ImportRow) -> str:
        sentence = _("This row has %(is)d cells for %(most)d columns. Text with the delimiter in it needs quotes.")
        return sentence % {"is": len(row.cells), "most": len(self.plan.columns)}


def _id(cell: str) -> int:
    text = cell.removeprefix("#")
    if not (text.isascii() and text.isdecimal() and 0 < int(text[:20]) < 2**63):
        raise ValueError(_("“%(text)s” is not the number of a record.") % {"text": cell[: cells.LONGEST]})
    return int(text)
