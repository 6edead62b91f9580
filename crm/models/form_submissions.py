"""Forms that visitors filled in."""

from typing import ClassVar

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account
from crm.models.records import Record


class FormSubmission(models.Model):
    """Somebody filled in a form: as it was sent, and the contact it became or changed. Never altered."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="form_submissions", db_index=False)
    record = models.ForeignKey(Record, models.CASCADE, related_name="form_submissions", verbose_name=_("contact"))
    form = models.CharField(_("form"), max_length=100)
    page = models.CharField(_("page"), max_length=500)
    given = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    is_new_contact = models.BooleanField(default=False)
    key = models.CharField(max_length=200, null=True)  # noqa: DJ001 (no key is not an empty key)
    fingerprint = models.CharField(max_length=64, blank=True)  # of what came with the key
    submitted_at = models.DateTimeField(default=timezone.now, editable=False)

    is_replay = False  # set on what `submit` returns for a key that had made this one before

    class Meta:
        verbose_name = _("form submission")
        verbose_name_plural = _("form submissions")
        constraints: ClassVar = [models.UniqueConstraint(fields=["account", "key"], name="one_submission_per_key")]
        indexes: ClassVar = [models.Index(fields=["account", "-id"], name="submission_newest")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.form}"
