"""The record, and what hangs on it."""

from typing import ClassVar, Self

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex, GinIndex, OpClass
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import F, Func, Q
from django.db.models.lookups import GreaterThan
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from crm.models.pipelines import Stage

LIVE = Q(deleted_at=None)


class Trigrams(Func):
    """The three-letter pieces of a search text, each with its account in front: see crm.searching."""

    function = "crm_trigrams"
    output_field = ArrayField(models.TextField())


class Holds(Func):
    """Whether an array holds all that is in another one."""

    template = "%(expressions)s"
    arg_joiner = " @> "
    output_field = models.BooleanField()


class Length(Func):
    """How many an array holds."""

    function = "cardinality"
    output_field = models.IntegerField()


OPEN_TASK = LIVE & Q(kind="tasks", completed_at=None, due_at__isnull=False)
SHARED = Q(GreaterThan(Length(F("people")), 1)) | Q(GreaterThan(Length(F("people")), 0), owner=None)


class Source(models.TextChoices):
    """Through which door something came."""

    PAGE = "page", _("a page")
    API = "api", _("the API")
    IMPORT = "import", _("an import")
    WORKFLOW = "workflow", _("a workflow")
    SYSTEM = "system", _("Bellhop itself")


class RecordQuerySet(models.QuerySet["Record"]):
    def live(self) -> Self:
        """Those that are not in the bin."""
        return self.filter(LIVE)

    def in_bin(self) -> Self:
        """Those that were deleted and can be restored; what was merged into another record cannot."""
        return self.exclude(LIVE).filter(merged_into=None)

    def of(self, account: Account, kind: str = "") -> Self:
        return self.filter(account=account, kind=kind) if kind else self.filter(account=account)

    def visible_to(self, member: Membership) -> Self:
        """What a member may see, bin included: all, their team's or their own, kind by kind. One query of its own."""
        from crm import permissions  # the rule is a table that the models do not know

        return self.filter(permissions.condition(member, "sees"))

    def editable_by(self, member: Membership) -> Self:
        """What a member may change: never more than they may see."""
        from crm import permissions

        return self.filter(permissions.condition(member, "edits"))


class Record(models.Model):
    """One contact, company, deal, ticket, lead, task or custom object.

    What lists sort and filter by, and what the database itself has to guard, are columns; every other property is
    in `values`, by its key. `people` holds the ids of all who are named in the owner property or a custom user
    property. `version` grows with every change.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="records", db_index=False)
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    title = models.CharField(max_length=300)
    owner = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="owned_records", db_index=False)
    people = ArrayField(models.BigIntegerField(), default=list)
    stage = models.ForeignKey(Stage, models.PROTECT, null=True, related_name="records", db_index=False)
    stage_changed_at = models.DateTimeField(null=True)
    address = models.CharField(max_length=320, blank=True)  # of a contact; normalised, see crm.mail_addresses
    domain = models.CharField(max_length=253, blank=True)  # of a company, or of the contact's address
    due_at = models.DateTimeField(null=True)
    remind_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)
    values = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    search = models.TextField(blank=True, editable=False)
    sort_title = models.CharField(max_length=100, blank=True, editable=False)  # the title, folded
    match_keys = ArrayField(models.CharField(max_length=300), default=list, editable=False)  # see crm.duplicates
    to_check = models.BooleanField(default=False, editable=False)  # for duplicates
    source = models.CharField(max_length=10, choices=Source.choices, default=Source.PAGE)
    created_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)
    merged_into = models.ForeignKey("self", models.SET_NULL, null=True, related_name="merged", db_index=False)

    objects = RecordQuerySet.as_manager()

    class Meta:
        verbose_name = _("record")
        verbose_name_plural = _("records")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "address"],
                condition=Q(kind="contacts", deleted_at=None) & ~Q(address=""),
                name="one_contact_per_address",
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "kind", "-updated_at", "-id"], condition=LIVE, name="record_changed"),
            models.Index(fields=["account", "kind", "-created_at", "-id"], condition=LIVE, name="record_made"),
            models.Index(fields=["account", "kind", "sort_title", "id"], condition=LIVE, name="record_title"),
            models.Index(
                fields=["account", "kind", "owner", "-updated_at", "-id"], condition=LIVE, name="record_owner"
            ),
            models.Index(
                fields=["stage", "-updated_at", "-id"], condition=LIVE & Q(stage__isnull=False), name="record_stage"
            ),
            models.Index(fields=["account", "domain", "kind"], condition=LIVE & ~Q(domain=""), name="record_domain"),
            models.Index(fields=["account", "due_at", "id"], condition=LIVE & Q(kind="tasks"), name="record_due"),
            models.Index(fields=["owner", "due_at", "id"], condition=OPEN_TASK, name="task_open"),
            models.Index(fields=["account"], condition=OPEN_TASK & SHARED, name="task_shared"),
            models.Index(fields=["id"], condition=Q(to_check=True), name="record_to_check"),
            models.Index(fields=["deleted_at"], condition=Q(deleted_at__isnull=False), name="record_bin"),
            GinIndex(fields=["match_keys"], condition=LIVE, name="record_matches"),
            GinIndex(fields=["people"], condition=LIVE, name="record_people"),
            GinIndex(OpClass("values", name="jsonb_path_ops"), condition=LIVE, name="record_values"),
            GinIndex(Trigrams(F("account_id"), F("search")), condition=LIVE, name="record_search"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.title}"

    @property
    def is_deleted(self) -> bool:
        return self.deleted_at is not None


class Change(models.Model):
    """One line of a record's history: which property went from what to what, by whom, when and how. Never altered.

    `what` is a property's key, or one of created, deleted, restored, associated, separated, merged.
    """

    record = models.ForeignKey(Record, models.CASCADE, related_name="changes", db_index=False)
    version = models.PositiveIntegerField()  # of the record, after this change
    what = models.CharField(max_length=60)
    before = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(null=True, encoder=DjangoJSONEncoder)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    source = models.CharField(max_length=10, choices=Source.choices)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes: ClassVar = [
            models.Index(fields=["record", "-id"], name="change_newest"),
            BrinIndex(fields=["at"], name="change_day", pages_per_range=32),  # lines are only added: see crm.anomalies
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.what}"


class Association(models.Model):
    """Two records belong together. Symmetric: stored once, the lower id first."""

    low = models.ForeignKey(Record, models.CASCADE, related_name="associated_higher", db_index=False)
    high = models.ForeignKey(Record, models.CASCADE, related_name="associated_lower")
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("association")
        verbose_name_plural = _("associations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["low", "high"], name="one_association_per_pair"),
            models.CheckConstraint(condition=Q(low__lt=F("high")), name="association_low_first"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.low_id}–{self.high_id}"


class Follower(models.Model):
    """A member who wants to hear what happens to a record."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="followers", db_index=False)
    member = models.ForeignKey(Membership, models.CASCADE, related_name="followed")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("follower")
        verbose_name_plural = _("followers")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["record", "member"], name="one_follower_per_record"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.member_id} follows {self.record_id}"


class RecordView(models.Model):
    """When a member last opened a record's page."""

    record = models.ForeignKey(Record, models.CASCADE, related_name="views", db_index=False)
    member = models.ForeignKey(Membership, models.CASCADE, related_name="viewed")
    last_opened_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("view of a record")
        verbose_name_plural = _("views of records")
        constraints: ClassVar = [models.UniqueConstraint(fields=["record", "member"], name="one_view_per_member")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.member_id} saw {self.record_id}"


class Reach(models.TextChoices):
    """How far a permission goes. `own`: owner, or named in a custom user property."""

    ALL = "all", _("All")
    TEAM = "team", _("Their team's")
    OWN = "own", _("Their own")


class RecordPermission(models.Model):
    """Which records of a kind a member sees and edits. No row: all. Super admins: always all."""

    member = models.ForeignKey(Membership, models.CASCADE, related_name="record_permissions")
    kind = models.CharField(max_length=60)
    sees = models.CharField(_("sees"), max_length=4, choices=Reach.choices, default=Reach.ALL)
    edits = models.CharField(_("edits"), max_length=4, choices=Reach.choices, default=Reach.ALL)

    class Meta:
        verbose_name = _("permission for records")
        verbose_name_plural = _("permissions for records")
        constraints: ClassVar = [models.UniqueConstraint(fields=["member", "kind"], name="one_permission_per_kind")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.member_id} {self.kind}: sees {self.sees}, edits {self.edits}"
