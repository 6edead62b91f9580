"""The records of an account, what hangs on them, and what waits for its time."""

from crm.models.activities import Activity, ActivityKind, Mention
from crm.models.anomalies import Anomaly, AnomalyWatch, Move, PropertyDay
from crm.models.bulk import BulkItem, BulkJob, BulkOutcome, Verb
from crm.models.defined import CustomKind, CustomProperty
from crm.models.digests import DigestKind, DigestOutcome, DigestRun, DigestSchedule, Frequency
from crm.models.duplicates import Duplicate, Why
from crm.models.exports import Export, ExportPart, ExportState
from crm.models.form_submissions import FormSubmission
from crm.models.happenings import Happening, What
from crm.models.imports import ImportJob, ImportPiece, ImportRow, ImportState, RowOutcome, Undone
from crm.models.lists import ListMember, ListState, RecordList
from crm.models.pipelines import Outcome, Pipeline, Stage
from crm.models.records import (
    Association,
    Change,
    Follower,
    Reach,
    Record,
    RecordPermission,
    RecordView,
    Source,
)
from crm.models.saved_views import SavedView
from crm.models.timed import Assignment, AssignmentOutcome, AssignmentWindow, DueNotice
from crm.models.webhooks import PostState, Webhook, WebhookPost, WebhookTry
from crm.models.workflows import (
    ActionOutcome,
    ActionRun,
    Enrolment,
    EnrolmentState,
    Rotation,
    Trigger,
    Wave,
    Workflow,
    WorkflowState,
    WorkflowVersion,
)

__all__ = [
    "ActionOutcome",
    "ActionRun",
    "Activity",
    "ActivityKind",
    "Anomaly",
    "AnomalyWatch",
    "Assignment",
    "AssignmentOutcome",
    "AssignmentWindow",
    "Association",
    "BulkItem",
    "BulkJob",
    "BulkOutcome",
    "Change",
    "CustomKind",
    "CustomProperty",
    "DigestKind",
    "DigestOutcome",
    "DigestRun",
    "DigestSchedule",
    "DueNotice",
    "Duplicate",
    "Enrolment",
    "EnrolmentState",
    "Export",
    "ExportPart",
    "ExportState",
    "Follower",
    "FormSubmission",
    "Frequency",
    "Happening",
    "ImportJob",
    "ImportPiece",
    "ImportRow",
    "ImportState",
    "ListMember",
    "ListState",
    "Mention",
    "Move",
    "Outcome",
    "Pipeline",
    "PostState",
    "PropertyDay",
    "Reach",
    "Record",
    "RecordList",
    "RecordPermission",
    "RecordView",
    "Rotation",
    "RowOutcome",
    "SavedView",
    "Source",
    "Stage",
    "Trigger",
    "Undone",
    "Verb",
    "Wave",
    "Webhook",
    "WebhookPost",
    "WebhookTry",
    "What",
    "Why",
    "Workflow",
    "WorkflowState",
    "WorkflowVersion",
]
