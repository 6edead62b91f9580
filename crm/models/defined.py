"""What an account defined itself: kinds of records, and properties of any kind."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account

TYPES = [
    ("text", _("Text")),
    ("long_text", _("Long text")),
    ("number", _("Number")),
    ("date", _("Date")),
    ("datetime", _("Date and time")),
    ("email", _("E-mail address")),
    ("phone", _("Phone number")),
    ("url", _("Web address")),
    ("choice", _("Choice")),
    ("user", _("Member of the account")),
    ("boolean", _("Yes or no")),
]


class CustomKind(models.Model):
    """A kind of record that a super admin defined (a custom object). Its key never changes."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="custom_kinds")
    key = models.CharField(max_length=60)
    label = models.CharField(_("name of one"), max_length=80)
    plural = models.CharField(_("name of several"), max_length=80)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("custom object")
        verbose_name_plural = _("custom objects")
        constraints = [models.UniqueConstraint(fields=["account", "key"], name="one_kind_per_key")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.plural}"


class CustomProperty(models.Model):
    """A property that a super admin added to a kind, built-in or custom. Archived ones keep their values unseen."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="custom_properties")
    kind = models.CharField(max_length=60)
    key = models.CharField(max_length=60)
    label = models.CharField(_("name"), max_length=80)
    type = models.CharField(_("type"), max_length=20, choices=TYPES)
    choices = models.JSONField(_("choices"), default=list, blank=True)  # [[key, label], …], for type "choice"
    position = models.PositiveSmallIntegerField(default=0)
    archived_at = models.DateTimeField(null=True, editable=False)
    settled_to = models.BigIntegerField(null=True, editable=False)  # see crm.settling; null: nothing to do

    class Meta:
        verbose_name = _("custom property")
        verbose_name_plural = _("custom properties")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "kind", "key"], name="one_property_per_key")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}.{self.key}"
