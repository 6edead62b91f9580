"""Workflows, the records enrolled in them, and what was done with each: rows that any worker can go on with."""

from typing import Any, ClassVar, Self

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import Account, Membership
from accounts.plans import HAS, Feature
from crm.models.records import Record


class WorkflowState(models.TextChoices):
    OFF = "off", _("off")
    ON = "on", _("on")
    PAUSED = "paused", _("paused")
    REVIEW = "review", _("needs review")


class Trigger(models.TextChoices):
    """What enrols a record: the word under `on` in a workflow's trigger."""

    CREATED = "created", _("A record is created")
    CHANGED = "changed", _("A property changes")
    JOINED = "joined", _("A record joins a list")
    SUBMITTED = "submitted", _("A form is submitted")
    SCHEDULE = "schedule", _("Every day or week")
    MANUAL = "manual", _("By hand")


class WorkflowQuerySet(models.QuerySet["Workflow"]):
    def of(self, account: Account) -> Self:
        """Those of an account that were not deleted."""
        return self.filter(account=account, deleted_at=None)

    def running(self) -> Self:
        """Those that are on, in accounts whose plan has workflows. Without it they stay on and wait."""
        return self.filter(state=WorkflowState.ON, deleted_at=None, account__plan__in=HAS[Feature.WORKFLOWS])

    def with_first_due(self) -> Self:
        """Each with `first_due`: when the next step of any of its records is due; None when nothing is under way.

        One look into the index per workflow. (Asked with EXISTS, the planner reads the table for those without any.)
        """
        waiting = Enrolment.objects.filter(WAITING, workflow=OuterRef("pk")).order_by("due_at", "pk")
        return self.annotate(first_due=Subquery(waiting.values("due_at")[:1]))


class Workflow(models.Model):
    """What is done with records of one kind, when, and in which order.

    `trigger`: {"on": "changed", "property": "stage", "to": 12}; empty as long as none was chosen. `conditions`: only
    records for which all of these hold are enrolled. `served_at`: whose turn it is, the longest unserved.
    """

    account = models.ForeignKey(Account, models.CASCADE, related_name="workflows", db_index=False)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    state = models.CharField(max_length=8, choices=WorkflowState.choices, default=WorkflowState.OFF)
    review_reason = models.CharField(max_length=300, blank=True)
    trigger = models.JSONField(default=dict, encoder=DjangoJSONEncoder)
    conditions = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    reenrols = models.BooleanField(default=False)  # whether a record that was through may be enrolled again
    version = models.ForeignKey("WorkflowVersion", models.SET_NULL, null=True, related_name="+", db_index=False)
    created_by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    served_at = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(default=timezone.now, editable=False)  # whether all it names is still there
    next_at = models.DateTimeField(null=True, editable=False)  # the next turn of its schedule
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = WorkflowQuerySet.as_manager()

    class Meta:
        verbose_name = _("workflow")
        verbose_name_plural = _("workflows")
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["account", "name"], condition=Q(deleted_at=None), name="one_workflow_per_name"
            ),
        ]
        indexes: ClassVar = [
            models.Index(fields=["account", "kind"], condition=Q(deleted_at=None), name="workflow_kind"),
            models.Index(fields=["served_at"], condition=Q(state="on", deleted_at=None), name="workflow_turn"),
            models.Index(fields=["next_at"], condition=Q(state="on", next_at__isnull=False), name="workflow_schedule"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps of the newest version."""
        return self.version.steps if self.version else []


class WorkflowVersion(models.Model):
    """The steps of a workflow as they were saved once. Never altered: a record ends on the one it began with."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    steps = models.JSONField(default=list, encoder=DjangoJSONEncoder)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("version of a workflow")
        verbose_name_plural = _("versions of workflows")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "number"], name="one_version_per_number"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.workflow_id} v{self.number}"


class EnrolmentState(models.TextChoices):
    WAITING = "waiting", _("under way")
    DONE = "done", _("went through")
    STOPPED = "stopped", _("ended, because the record is gone")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")


WAITING = Q(state=EnrolmentState.WAITING)


class Enrolment(models.Model):
    """One record on its way through a workflow. At most one is under way per workflow and record.

    `at`: the step that comes next, at `due_at`. `attempts`: how often that step failed so far; `why`: what was wrong.
    `depth`: how many workflows in a row led to it.
    """

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="enrolments", db_index=False)
    version = models.ForeignKey(WorkflowVersion, models.CASCADE, related_name="+", db_index=False)
    record = models.ForeignKey(Record, models.CASCADE, related_name="enrolments", db_index=False)
    state = models.CharField(max_length=9, choices=EnrolmentState.choices, default=EnrolmentState.WAITING)
    at = models.CharField(max_length=20, blank=True)
    due_at = models.DateTimeField(default=timezone.now)
    attempts = models.PositiveSmallIntegerField(default=0)
    depth = models.PositiveSmallIntegerField(default=0)
    why = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)  # by hand
    enrolled_at = models.DateTimeField(default=timezone.now, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("enrolment")
        verbose_name_plural = _("enrolments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "record"], condition=WAITING, name="one_open_enrolment"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["workflow", "due_at", "id"], condition=WAITING, name="enrolment_due"),
            models.Index(fields=["workflow", "-id"], name="enrolment_newest"),
            models.Index(fields=["record", "workflow", "-id"], name="enrolment_record"),
            models.Index(fields=["workflow", "enrolled_at"], name="enrolment_begun"),
            models.Index(fields=["workflow", "ended_at"], condition=Q(ended_at__isnull=False), name="enrolment_ended"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.record_id} in {self.workflow_id}: {self.state}"

    @property
    def standing(self) -> EnrolmentState:
        """Its state as it counts: nothing is under way in a workflow that is off, see `crm.workflows.ending`."""
        is_over = self.state == EnrolmentState.WAITING and self.workflow.state == WorkflowState.OFF
        return EnrolmentState.CANCELLED if is_over else EnrolmentState(self.state)


class ActionOutcome(models.TextChoices):
    DONE = "done", _("done")
    NOTHING = "nothing", _("nothing to do")
    YES = "yes", _("yes")
    NO = "no", _("no")
    FAILED = "failed", _("failed")


class ActionRun(models.Model):
    """What became of one step for one record, written in the same transaction as the step's own work: once."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="+", db_index=False)
    enrolment = models.ForeignKey(Enrolment, models.CASCADE, related_name="runs", db_index=False)
    step = models.CharField(max_length=20)
    do = models.CharField(max_length=20)  # a key of crm.workflows.actions
    outcome = models.CharField(max_length=7, choices=ActionOutcome.choices)
    words = models.CharField(max_length=500, blank=True)
    at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("action of a workflow")
        verbose_name_plural = _("actions of workflows")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["enrolment", "step"], name="one_run_per_step"),
        ]
        indexes: ClassVar = [models.Index(fields=["workflow", "step", "outcome"], name="action_numbers")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.step} {self.do}: {self.outcome}"


class Wave(models.Model):
    """All records that match are enrolled, some at a time, by their ids. At most one is under way per workflow."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="waves", db_index=False)
    by = models.ForeignKey(Membership, models.SET_NULL, null=True, related_name="+", db_index=False)
    up_to = models.BigIntegerField()  # records made later are left alone
    gathered_to = models.BigIntegerField(default=0)
    enrolled = models.PositiveIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("wave of enrolments")
        verbose_name_plural = _("waves of enrolments")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow"], condition=Q(finished_at=None), name="one_open_wave"),
        ]
        indexes: ClassVar = [models.Index(fields=["workflow", "-id"], name="wave_newest")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.workflow_id}: {self.enrolled}"


class Rotation(models.Model):
    """Whose turn it was last in a step that gives records to members in turn."""

    workflow = models.ForeignKey(Workflow, models.CASCADE, related_name="rotations", db_index=False)
    step = models.CharField(max_length=20)
    last = models.BigIntegerField(default=0)  # a member's id

    class Meta:
        verbose_name = _("rotation")
        verbose_name_plural = _("rotations")
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["workflow", "step"], name="one_rotation_per_step"),
        ]

    def __str__(self) -> str:
        return f"#{self.pk} {self.workflow_id} {self.step}"
