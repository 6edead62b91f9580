"""Lists of records: put together by hand, or by conditions and kept up to date."""

from typing import ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from crm.models.records import Record


class ListState(models.TextChoices):
    PROCESSING = "processing", _("Processing")
    READY = "ready", _("Ready")
    FAILED = "failed", _("Failed")


class RecordListQuerySet(models.QuerySet["RecordList"]):
    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def of(self, account: Account, kind: str = "") -> Self:
        """The lists of an account that were not deleted."""
        rows = self.live().filter(account=account)
        return rows.filter(kind=kind) if kind else rows

    def to_process(self) -> Self:
        """Those with background work: to fill, or to erase."""
        return self.filter(TO_PROCESS)


TO_PROCESS = Q(state=ListState.PROCESSING) | Q(deleted_at__isnull=False)


class RecordList(models.Model):
    """A list of records of one kind. Filtered: who is in it follows from `conditions`. Static: put there by hand.

    Processing goes through all records of the kind, oldest first. `cursor_at` and `cursor_id` are the last one looked
    at. `round` counts the processings; `asked_by` is who asked for the present one, and hears when it is done.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="record_lists", db_index=False)
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    name = models.CharField(_("name"), max_length=120)
    is_filtered = models.BooleanField()
    conditions = models.JSONField(default=list, encoder=DjangoJSONEncoder)  # see crm.conditions
    state = models.CharField(max_length=10, choices=ListState.choices, default=ListState.READY)
    problem = models.CharField(max_length=500, blank=True)  # why processing failed, for people
    members = models.PositiveIntegerField(default=0, editable=False)  # rows of ListMember that are live
    round = models.PositiveIntegerField(default=0, editable=False)
    asked_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    cursor_at = models.DateTimeField(null=True, editable=False)
    cursor_id = models.BigIntegerField(default=0, editable=False)
    looked_at = models.PositiveIntegerField(default=0, editable=False)  # records, in this round
    to_look_at = models.PositiveIntegerField(null=True, editable=False)  # counted when the round begins
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)  # of the same piece
    look_again_at = models.DateTimeField(null=True, editable=False)  # see crm.lists.processing.look_again
    created_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now, editable=False)
    touched_at = models.DateTimeField(default=timezone.now, editable=False)  # by a worker: whose turn it is
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = RecordListQuerySet.as_manager()

    class Meta:
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        constraints: ClassVar = [
            # its index also serves the lists of an account, and those of a kind that follow its records
            models.UniqueConstraint(fields=["account", "name"], condition=Q(deleted_at=None), name="one_list_per_name"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "touched_at"], condition=TO_PROCESS, name="list_to_process"),
            models.Index(fields=["look_again_at"], condition=Q(look_again_at__isnull=False), name="list_to_look_again"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"


class ListMember(models.Model):
    """A record is in a list. While it is in the bin the row waits (`is_live` false), and counts for nothing."""

    pk = models.CompositePrimaryKey("list_id", "record_id")  # the members of a list; whether a record is one
    # without constraints: rows come by the thousand, and both sides erase them when they go
    list = models.ForeignKey(RecordList, models.CASCADE, related_name="rows", db_constraint=False, db_index=False)
    record = models.ForeignKey(Record, models.CASCADE, related_name="in_lists", db_constraint=False, db_index=False)
    joined_at = models.DateTimeField(default=timezone.now, editable=False)
    is_live = models.BooleanField(default=True, editable=False)

    class Meta:
        verbose_name = _("member of a list")
        verbose_name_plural = _("members of lists")
        # the lists that a record is in, on its page and when it is deleted, merged or erased
        indexes: ClassVar = [models.Index(fields=["record"], name="list_member_record")]

    def __str__(self) -> str:
        return f"{self.record_id} in {self.list_id}"
