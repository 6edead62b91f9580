"""What happened to records and still has to be followed by lists, workflows and webhooks."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from crm.models.records import Record, Source


class What(models.TextChoices):
    """What can happen to a record."""

    CREATED = "created", _("created")
    CHANGED = "changed", _("changed")
    DELETED = "deleted", _("deleted")
    RESTORED = "restored", _("restored")
    MERGED = "merged", _("merged")
    ASSOCIATED = "associated", _("associated")
    SEPARATED = "separated", _("separated")
    JOINED = "joined", _("joined a list")
    SUBMITTED = "submitted", _("submitted a form")


class Happening(models.Model):
    """Something happened to a record, and somebody listens. Written in the change's own transaction; gone as soon as
    all that follows from it is written.

    `lines`: what changed, from what to what, by property. `depth`: how many workflows in a row led to it.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, models.CASCADE, related_name="happenings", db_index=False)
    kind = models.CharField(max_length=60)
    what = models.CharField(max_length=10, choices=What.choices)
    lines = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    version = models.PositiveIntegerField()  # of the record, after it
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    depth = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now, editable=False)
    again_at = models.DateTimeField(null=True, editable=False)  # following it failed; not before then

    class Meta:
        verbose_name = _("happening")
        verbose_name_plural = _("happenings")
        indexes: ClassVar = [
            models.Index(fields=["account", "id"], name="happening_turn"),
            models.Index(fields=["record"], name="happening_record"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind} {self.record_id} {self.what}"
