"""Work on many records at once, in rows: what is to be done, and what became of each record."""

from typing import ClassVar, Self

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from crm.models.lists import RecordList


class Verb(models.TextChoices):
    ASSIGN = "assign", _("assign")
    DELETE = "delete", _("delete")
    LIST = "list", _("add to a list")
    UNLIST = "unlist", _("take out of a list")


class BulkOutcome(models.TextChoices):
    """What became of one record."""

    WAITING = "waiting", _("waiting")
    DONE = "done", _("done")
    REFUSED = "refused", _("refused")
    NOT_THERE = "not_there", _("not there any more, or not yours to change")
    CANCELLED = "cancelled", _("cancelled before its turn")


class BulkJobQuerySet(models.QuerySet["BulkJob"]):
    def under_way(self) -> Self:
        return self.filter(finished_at=None)


class BulkJob(models.Model):
    """One thing to do with many records, for the member who asked. `query` is set for all that match a list."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="bulk_jobs", db_index=False)
    by = models.ForeignKey(Membership, models.CASCADE, related_name="bulk_jobs")
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    verb = models.CharField(max_length=10, choices=Verb.choices)
    to = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    into = models.ForeignKey(RecordList, models.SET_NULL, null=True, related_name="+", db_index=False)  # or out of
    query = models.JSONField(null=True)  # what crm.browsing.Wanted reads
    up_to = models.BigIntegerField(default=0)  # records made after the member asked are left alone
    gathered_to = models.BigIntegerField(default=0)  # so far the records are written down, by their id
    gathered_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)  # whose turn it is: the longest untouched
    cancelled_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    objects = BulkJobQuerySet.as_manager()

    class Meta:
        verbose_name = _("bulk job")
        verbose_name_plural = _("bulk jobs")
        indexes: ClassVar = [models.Index(fields=["touched_at"], condition=Q(finished_at=None), name="bulk_under_way")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.verb} {self.kind}"


class BulkItem(models.Model):
    """One record of a bulk job and its one outcome. The id alone: records may be erased meanwhile."""

    job = models.ForeignKey(BulkJob, models.CASCADE, related_name="items", db_index=False)
    record_id = models.BigIntegerField()
    outcome = models.CharField(max_length=10, choices=BulkOutcome.choices, default=BulkOutcome.WAITING)
    reason = models.CharField(max_length=300, blank=True)

    class Meta:
        verbose_name = _("record of a bulk job")
        verbose_name_plural = _("records of a bulk job")
        constraints: ClassVar = [models.UniqueConstraint(fields=["job", "record_id"], name="one_bulk_item_per_record")]
        indexes: ClassVar = [
            models.Index(fields=["job", "record_id"], condition=Q(outcome="waiting"), name="bulk_item_waiting")
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.record_id}: {self.outcome}"
