"""What members keep of how they look at a list of records."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership


class SavedViewQuerySet(models.QuerySet["SavedView"]):
    def visible_to(self, member: Membership) -> Self:
        """One's own and those that others in the account share."""
        return self.filter(Q(member=member) | Q(account=member.account_id, is_shared=True))


class SavedView(models.Model):
    """A list of records by name: what is searched and filtered, in which order, with which columns.

    The one without a name holds the columns a member sees when no view is chosen.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="saved_views")
    member = models.ForeignKey(Membership, models.CASCADE, related_name="saved_views")
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    name = models.CharField(_("name"), max_length=80, blank=True)
    is_shared = models.BooleanField(_("everybody in the account sees it"), default=False)
    query = models.JSONField(default=dict)  # what crm.browsing.Wanted reads
    columns = ArrayField(models.CharField(max_length=60), default=list)  # keys of properties
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SavedViewQuerySet.as_manager()

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        ordering: ClassVar = ["name", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["member", "kind", "name"], name="one_saved_view_per_name"),
            models.CheckConstraint(condition=~Q(name="", is_shared=True), name="shared_views_have_a_name"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"
