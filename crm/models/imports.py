"""Records that come from a file, in rows: the file itself, what each of its rows holds, and what became of it."""

from typing import ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership


class ImportState(models.TextChoices):
    """Where an import stands. A worker carries on those that are under way; the others wait for a member."""

    MAPPING = "mapping", _("waits for its columns")
    READING = "reading", _("is being read")
    CHECKING = "checking", _("is being tried out")
    CHECKED = "checked", _("was tried out")
    IMPORTING = "importing", _("is being imported")
    DONE = "done", _("imported")
    CANCELLED = "cancelled", _("cancelled")
    ROLLING_BACK = "rolling_back", _("is being rolled back")
    ROLLED_BACK = "rolled_back", _("rolled back")
    FAILED = "failed", _("failed")


class RowOutcome(models.TextChoices):
    """What became of one row of the file, or would become of it."""

    WAITING = "waiting", _("waiting")
    CREATED = "created", _("created")
    UPDATED = "updated", _("updated")
    UNCHANGED = "unchanged", _("unchanged")
    REFUSED = "refused", _("refused")
    DUPLICATE = "duplicate", _("twice in the file")
    CANCELLED = "cancelled", _("cancelled before its turn")


class Undone(models.TextChoices):
    """What the rollback did with one row."""

    REMOVED = "removed", _("removed")
    PUT_BACK = "put_back", _("put back")
    PARTLY = "partly", _("partly put back")
    LEFT = "left", _("left as it is")


UNDER_WAY = (ImportState.READING, ImportState.CHECKING, ImportState.IMPORTING, ImportState.ROLLING_BACK)


class ImportJobQuerySet(models.QuerySet["ImportJob"]):
    def under_way(self) -> Self:
        return self.filter(state__in=UNDER_WAY)

    def visible_to(self, member: Membership) -> Self:
        """One's own; a super admin's are all of the account."""
        rows = self.filter(account=member.account_id)
        return rows if member.is_super_admin else rows.filter(by=member)


class ImportJob(models.Model):
    """One file and what is to be done with it, for the member who asked or a program with a key of the account.

    `position` is the number of the last row that the present state has settled, `read_to` the bytes read so far.
    The tallies count outcomes; each grows in the transaction that writes the rows it counts.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="imports", db_index=False)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="imports")
    is_program = models.BooleanField(default=False)
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    file = models.CharField(max_length=200)  # its name
    size = models.BigIntegerField()  # bytes
    state = models.CharField(max_length=12, choices=ImportState.choices, default=ImportState.MAPPING)
    plan = models.JSONField(default=dict)  # what crm.importing.plans.Plan reads
    columns = models.JSONField(default=list)  # their names, as people see them
    read_as = models.JSONField(default=dict)  # how the rows that are there were read; another way reads them anew
    read_to = models.BigIntegerField(default=0)
    lines = models.PositiveIntegerField(default=0)  # of the file, read so far
    rows = models.PositiveIntegerField(default=0)  # with something in them, read so far
    position = models.PositiveIntegerField(default=0)
    forecast = models.JSONField(default=dict)  # how many rows by RowOutcome, as tried out
    outcomes = models.JSONField(default=dict)  # how many rows by RowOutcome
    undone = models.JSONField(default=dict)  # how many rows by Undone
    problem = models.CharField(max_length=300, blank=True)  # why it failed
    stumbles = models.PositiveSmallIntegerField(default=0)  # batches in a row that could not be carried out
    undone_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)  # whose turn it is: the longest untouched
    cancel_at = models.DateTimeField(null=True, editable=False)  # somebody asked to stop
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = ImportJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes: ClassVar = [
            models.Index(fields=["account", "-id"], name="import_newest"),
            models.Index(fields=["touched_at"], condition=Q(state__in=UNDER_WAY), name="import_under_way"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file}"

    @property
    def is_under_way(self) -> bool:
        return self.state in UNDER_WAY

    @property
    def is_settled(self) -> bool:
        """Whether it was carried out, to its end or as far as it came."""
        return self.state in (ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED) and bool(self.outcomes)


class ImportPiece(models.Model):
    """A piece of the file's bytes, so that every worker can read it and a restart loses nothing."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="pieces", db_index=False)
    number = models.PositiveIntegerField()
    data = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an imported file")
        verbose_name_plural = _("pieces of an imported file")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="one_piece_per_number")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.number} of {self.job_id}"


class ImportRow(models.Model):
    """One row of the file, its forecast and its one outcome. The record's id alone: it may be erased meanwhile."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="items", db_index=False)
    number = models.PositiveIntegerField()  # 1 is the first below the header
    line = models.PositiveIntegerField()  # of the file, where it begins
    cells = models.JSONField()
    problem = models.CharField(max_length=200, blank=True)  # why it cannot be read as a row
    key = models.CharField(max_length=320, blank=True)  # what finds its record; two rows with one key are the same
    forecast = models.CharField(max_length=10, choices=RowOutcome.choices, default=RowOutcome.WAITING)
    outcome = models.CharField(max_length=10, choices=RowOutcome.choices, default=RowOutcome.WAITING)
    reasons = models.JSONField(default=list)  # pairs: a column's name or nothing, a sentence
    record_id = models.BigIntegerField(null=True)
    version = models.PositiveIntegerField(default=0)  # of the record, as this row left it
    was = models.JSONField(default=dict, encoder=DjangoJSONEncoder)  # what this row replaced, by property
    undone = models.CharField(max_length=10, choices=Undone.choices, blank=True)

    class Meta:
        verbose_name = _("row of an import")
        verbose_name_plural = _("rows of an import")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "number"], name="one_import_row_per_number")]
        indexes: ClassVar = [
            models.Index(fields=["job", "key", "number"], condition=~Q(key=""), name="import_row_key"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} row {self.number}: {self.outcome}"
