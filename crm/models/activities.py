"""What people write on records: notes, comments, logged calls, mails and meetings, and whom they mention."""

from typing import ClassVar, Self

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Membership, Team
from crm.models.records import Record, Source


class ActivityKind(models.TextChoices):
    NOTE = "note", _("Note")
    COMMENT = "comment", _("Comment")
    CALL = "call", _("Call")
    MAIL = "mail", _("E-mail")
    MEETING = "meeting", _("Meeting")


class ActivityQuerySet(models.QuerySet["Activity"]):
    def live(self) -> Self:
        return self.filter(deleted_at=None)

    def visible_to(self, member: Membership) -> Self:
        """Those on records that the member may see."""
        return self.filter(record__in=Record.objects.filter(account=member.account_id).live().visible_to(member))


class Activity(models.Model):
    """Something written or logged on a record. A comment stands below another activity (`parent`)."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="activities", db_index=False)
    kind = models.CharField(max_length=10, choices=ActivityKind.choices)
    subject = models.CharField(_("subject"), max_length=200, blank=True)
    text = models.TextField(_("text"))  # with @[Name](member:7) and @[Name](team:7) where somebody is mentioned
    author = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    parent = models.ForeignKey("self", models.CASCADE, null=True, related_name="comments")
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PAGE)
    occurred_at = models.DateTimeField(default=timezone.now)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    edited_at = models.DateTimeField(null=True, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ActivityQuerySet.as_manager()

    class Meta:
        verbose_name = _("activity")
        verbose_name_plural = _("activities")
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(kind="comment", parent__isnull=False)
                | ~models.Q(kind="comment") & models.Q(parent=None),
                name="only_comments_have_a_parent",
            ),
        ]
        indexes: ClassVar = [models.Index(fields=["record", "-occurred_at", "-id"], name="activity_newest")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.kind}"


class Mention(models.Model):
    """A member was mentioned in a text, by name or through a team: the first time. `untold`: why they do not hear."""

    activity = models.ForeignKey(Activity, models.CASCADE, related_name="mentions")
    member = models.ForeignKey(Membership, models.CASCADE, related_name="mentions")
    team = models.ForeignKey(Team, models.SET_NULL, null=True, related_name="+", db_index=False)
    untold = models.CharField(max_length=20, blank=True)  # "", self, api, may_not_see, inactive
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("mention")
        verbose_name_plural = _("mentions")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["activity", "member"], name="one_mention_per_member"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.member_id} in {self.activity_id}"
