"""Where the pages of the records stand: what notifications and the API link to."""

from accounts.models import Account
from crm.kinds import BUILT_IN
from crm.models import (
    Activity,
    Anomaly,
    AssignmentWindow,
    Export,
    FormSubmission,
    ImportJob,
    Record,
    RecordList,
    Workflow,
)


def record(one: Record) -> str:
    """The page of a record: /1001/contacts/311/, /1001/objects/berths/12/."""
    kind = one.kind if one.kind in BUILT_IN else f"objects/{one.kind}"
    return f"/{one.account.hub_id}/{kind}/{one.pk}/"


def activity(one: Activity) -> str:
    """An activity on its record's page; a comment where it stands below its activity."""
    if one.parent_id:
        return f"{record(one.record)}activities/{one.parent_id}/#comment-{one.pk}"
    return f"{record(one.record)}activities/{one.pk}/"


def assigned(window: AssignmentWindow) -> str:
    """The list of what was assigned within one window."""
    return f"/{window.recipient.account.hub_id}/assigned/{window.pk}/"


def assigned_key(window_id: int) -> str:
    """The key of the event that tells what was assigned within one window."""
    return f"crm.assigned:{window_id}"


def assignments(account: Account) -> str:
    """What one was assigned, and whether one was told."""
    return f"/{account.hub_id}/assigned/"


def duplicates(one: Record) -> str:
    return f"{record(one)}duplicates/"


def form_submission(one: FormSubmission) -> str:
    return f"/{one.account.hub_id}/form-submissions/{one.pk}/"


def anomaly(one: Anomaly) -> str:
    return f"/{one.account.hub_id}/data-quality/anomalies/{one.pk}/"


def tasks(account: Account) -> str:
    """The list of tasks."""
    return f"/{account.hub_id}/tasks/"


def task(hub_id: int, task_id: int) -> str:
    """The page of a task of which only the number is at hand."""
    return f"/{hub_id}/tasks/{task_id}/"


def list_(one: RecordList) -> str:
    """The page of a list."""
    return f"/{one.account.hub_id}/lists/{one.pk}/"


def workflows(account: Account) -> str:
    return f"/{account.hub_id}/workflows/"


def import_(job: ImportJob) -> str:
    """How an import went."""
    return f"/{job.account.hub_id}/imports/{job.pk}/"


def exports(account: Account) -> str:
    """A member's own exports."""
    return f"/{account.hub_id}/exports/"


def export(one: Export) -> str:
    return f"{exports(one.account)}{one.pk}/"


def workflow(one: Workflow) -> str:
    return f"/{one.account.hub_id}/workflows/{one.pk}/"
