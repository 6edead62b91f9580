"""Putting records into workflows: one by hand, or all that match, some thousands at a time.

Whoever enrols holds the workflow's row, so that nothing comes in once it is paused and no record comes in twice.
"""

from typing import Final

from django.core.exceptions import EmptyResultSet
from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import plans
from accounts.members import require_super_admin
from accounts.models import Membership
from accounts.plans import Feature
from crm import conditions, filtering, schema
from crm.digests.timing import zone_of
from crm.kinds import Kind
from crm.models import Enrolment, EnrolmentState, Record, Wave, Workflow, WorkflowState
from crm.models.records import RecordQuerySet
from crm.workflows import ending, flow
from crm.workflows.errors import CannotEnrol, WorkflowGone, WorkflowNotOn

CHUNK: Final = 2_000  # records that one piece of a wave looks at

cancel = ending.cancel


@transaction.atomic
def enrol(workflow: Workflow, record: Record, by: Membership | None) -> Enrolment:
    """Enrol one record by hand, whatever the trigger. Refuses (`WorkflowGone`, `WorkflowNotOn`, `CannotEnrol`).

    The conditions must hold, `by` must be able to edit the record, and it must not be under way; having been through
    before does not matter by hand.
    """
    row = _held(workflow)
    rows = Record.objects.live().of(row.account, row.kind).filter(pk=record.pk)
    if by is not None:
        rows = rows.editable_by(by)
    if not rows.exists():
        raise CannotEnrol(_("Choose a record of this kind that you may change."))
    if not matching(row, schema.kind_of(row.account, row.kind), rows).exists():
        raise CannotEnrol(_("The record does not match the conditions of the workflow."))
    if Enrolment.objects.filter(workflow=row, record=record, state=EnrolmentState.WAITING).exists():
        raise CannotEnrol(_("The record is in this workflow already."))
    assert row.version is not None  # else it would not be on
    found = Enrolment.objects.create(workflow=row, version=row.version, record=record, at=flow.first(row.steps), by=by)
    wake_after_commit()
    return found


@transaction.atomic
def enrol_all(workflow: Workflow, by: Membership | None) -> Wave:
    """Enrol all records that match, in the background; `Wave` tells how far. One is under way already: that one."""
    require_super_admin(workflow.account, by)
    return begin_wave(_held(workflow), by=by)


def begin_wave(workflow: Workflow, *, by: Membership | None) -> Wave:
    """The same, in the transaction of whoever holds the workflow."""
    newest = Record.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    wave, _made = Wave.objects.get_or_create(workflow=workflow, finished_at=None, defaults={"up_to": newest, "by": by})
    wake_after_commit()
    return wave


@transaction.atomic
def advance_wave(workflow: Workflow) -> bool:
    """Enrol the next records of the wave that is under way. False: there is none, or somebody else is at it."""
    row = (
        Workflow.objects.running()
        .select_related("account", "version")
        .select_for_update(of=("self",), skip_locked=True, no_key=True)
        .filter(pk=workflow.pk)
        .first()
    )
    wave = Wave.objects.filter(workflow=row, finished_at=None).first() if row else None
    if row is None or wave is None:
        return False
    rows = Record.objects.live().of(row.account, row.kind).filter(pk__gt=wave.gathered_to, pk__lte=wave.up_to)
    ids = list(rows.order_by("pk").values_list("pk", flat=True)[:CHUNK])
    kind = schema.kind_of(row.account, row.kind)
    wave.enrolled += put_in(row, kind, Record.objects.live().filter(pk__in=ids), by=wave.by)
    if len(ids) < CHUNK:
        wave.finished_at = timezone.now()
    else:
        wave.gathered_to = ids[-1]
    wave.save(update_fields=["enrolled", "finished_at", "gathered_to"])
    return True


def matching(workflow: Workflow, kind: Kind, rows: RecordQuerySet) -> RecordQuerySet:
    """Those of these records for which the workflow's conditions hold. `InvalidFilter` when a property is gone."""
    wanted = conditions.from_json(workflow.conditions)
    return filtering.narrowed(rows, kind, wanted, zone=zone_of(workflow.account.time_zone))


def eligible(workflow: Workflow, kind: Kind, rows: RecordQuerySet) -> RecordQuerySet:
    """Those that match and are not under way; unless it re-enrols, those that were never in it."""
    before = Enrolment.objects.filter(workflow=workflow, record=OuterRef("pk"))
    if workflow.reenrols:
        before = before.filter(state=EnrolmentState.WAITING)
    return matching(workflow, kind, rows).filter(~Exists(before))


def put_in(
    workflow: Workflow, kind: Kind, rows: RecordQuerySet, *, depth: int = 0, by: Membership | None = None
) -> int:
    """Enrol those of these records that are eligible, in one statement, for whoever holds the workflow."""
    now = timezone.now()
    try:
        chosen, values = eligible(workflow, kind, rows).order_by("pk").values("pk").query.sql_with_params()
    except EmptyResultSet:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            INSERT INTO crm_enrolment (workflow_id, version_id, record_id, state, at, due_at, attempts, depth, why,
                                       by_id, enrolled_at)
            SELECT %s, %s, chosen.record_id, %s, %s, %s, 0, %s, '', %s, %s
            FROM ({chosen}) AS chosen(record_id)
            ON CONFLICT DO NOTHING
            """,
            [
                workflow.pk,
                workflow.version_id,
                EnrolmentState.WAITING.value,
                flow.first(workflow.steps),
                now,
                depth,
                by.pk if by else None,
                now,
                *values,
            ],
        )
        return int(cursor.rowcount)


def _held(workflow: Workflow) -> Workflow:
    """The workflow as it is now, held. Refuses one that is deleted or not on, and plans without workflows."""
    rows = Workflow.objects.of(workflow.account).select_related("account", "version")
    row = rows.select_for_update(of=("self",), no_key=True).filter(pk=workflow.pk).first()
    if row is None:
        raise WorkflowGone
    plans.require(row.account.plan, Feature.WORKFLOWS)
    if row.state != WorkflowState.ON:
        raise WorkflowNotOn(
            _("Turn the workflow on first; nothing is enrolled while it is %(state)s.")
            % {"state": row.get_state_display()}
        )
    return row


def wake_after_commit() -> None:
    transaction.on_commit(_wake, robust=True)


def _wake() -> None:
    from crm.tasks import carry_workflows  # domain modules know no Celery
    from notifications.tasks import wake

    wake(carry_workflows)
