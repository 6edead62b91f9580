"""Exports in rows: what was asked for, and the pieces of the file."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership


class ExportState(models.TextChoices):
    WAITING = "waiting", _("waiting for its turn")
    WRITING = "writing", _("being written")
    READY = "ready", _("ready")
    CANCELLED = "cancelled", _("cancelled")
    EXPIRED = "expired", _("expired")


class ExportQuerySet(models.QuerySet["Export"]):
    def under_way(self) -> Self:
        return self.filter(finished_at=None)

    def asked_by(self, account: Account, member: Membership | None) -> Self:
        """A member's own; without a member those that programs asked for."""
        return self.filter(account=account, by=member)


class Export(models.Model):
    """A file of records for the member, or the program, who asked: the ticked ones, or all that match."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="exports", db_index=False)
    by = models.ForeignKey(Membership, models.CASCADE, null=True, related_name="exports", db_index=False)
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    query = models.JSONField(default=dict)  # what crm.browsing.Wanted reads
    conditions = models.JSONField(default=list)  # of crm.filtering, besides
    ids = ArrayField(models.BigIntegerField(), null=True)  # the ticked ones instead
    columns = ArrayField(models.CharField(max_length=60), default=list)  # keys of properties; none: all
    has_bom = models.BooleanField(default=True)  # without it Excel takes UTF-8 for something else
    file = models.CharField(max_length=120)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)  # whose turn it is: the longest untouched
    total = models.PositiveIntegerField(null=True, editable=False)  # records that matched; None: not looked up yet
    seen = models.PositiveIntegerField(default=0, editable=False)  # of these, how many were gone through
    rows = models.PositiveIntegerField(default=0, editable=False)  # lines that the file has, beside its head
    size = models.BigIntegerField(default=0, editable=False)  # bytes
    cancelled_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    expires_at = models.DateTimeField(null=True, editable=False)

    objects = ExportQuerySet.as_manager()

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        indexes: ClassVar = [
            models.Index(fields=["touched_at"], condition=Q(finished_at=None), name="export_under_way"),
            models.Index(fields=["by", "-id"], name="export_newest"),
            models.Index(fields=["account", "-id"], condition=Q(by=None), name="export_of_programs"),
            models.Index(fields=["expires_at"], condition=Q(expires_at__isnull=False), name="export_expires"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.file}"

    @property
    def state(self) -> ExportState:
        if self.cancelled_at is not None:
            return ExportState.CANCELLED
        if self.finished_at is None:
            return ExportState.WAITING if self.total is None else ExportState.WRITING
        is_over = self.expires_at is None or self.expires_at <= timezone.now()
        return ExportState.EXPIRED if is_over else ExportState.READY

    @property
    def is_ready(self) -> bool:
        return self.state is ExportState.READY

    @property
    def is_under_way(self) -> bool:
        return self.state in (ExportState.WAITING, ExportState.WRITING)

    @property
    def is_expired(self) -> bool:
        return self.state is ExportState.EXPIRED


class ExportPart(models.Model):
    """A piece of an export's file: which records, in which order, and their lines once they are written.

    Piece 0 is the file's head and has no records.
    """

    export = models.ForeignKey(Export, models.CASCADE, related_name="parts", db_index=False)
    number = models.PositiveIntegerField()
    ids = ArrayField(models.BigIntegerField(), default=list)
    content = models.BinaryField(null=True)

    class Meta:
        verbose_name = _("part of an export")
        verbose_name_plural = _("parts of an export")
        constraints: ClassVar = [models.UniqueConstraint(fields=["export", "number"], name="one_export_part")]
        indexes: ClassVar = [
            models.Index(fields=["export", "number"], condition=Q(content=None), name="export_part_waiting")
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.export_id}: {self.number}"
