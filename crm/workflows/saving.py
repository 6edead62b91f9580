"""Saving what an editor holds, all of it or nothing, and only over what the editor was opened with."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from accounts import plans
from accounts.errors import DomainError
from accounts.models import Account, Membership
from accounts.plans import Feature
from crm.models import Workflow
from crm.workflows import writing
from crm.workflows.drafting import Draft
from crm.workflows.errors import InvalidWorkflow


class StaleWorkflow(DomainError):
    """Somebody saved it in between; `mark` is the present one."""

    code = "stale_workflow"

    def __init__(self, workflow: Workflow) -> None:
        super().__init__(_in_between(workflow))
        self.mark = mark_of(workflow)


def begin(account: Account, kind: str, name: str, *, by: Membership | None) -> Workflow:
    """A new workflow, on the plans that have them; the rest is composed in its editor."""
    plans.require(account.plan, Feature.WORKFLOWS)
    return writing.create(account, kind, name, by)


def mark_of(workflow: Workflow) -> str:
    """Changes whenever something is saved that an editor shows."""
    shown = [workflow.name, workflow.trigger, workflow.conditions, workflow.reenrols, workflow.version_id]
    return hashlib.sha256(json.dumps(shown, sort_keys=True, default=str).encode()).hexdigest()[:20]


@transaction.atomic
def save(workflow: Workflow, draft: Draft, *, read: str, by: Membership) -> Workflow:
    """Save a draft over what was `read` (a mark). Refuses with every problem at once (`InvalidWorkflow`), and what
    somebody else saved (`StaleWorkflow`) or deleted (`WorkflowGone`) in between: nothing is overwritten unseen."""
    workflow = _as_read(workflow, read, by)
    facts = {"name": draft.name, "conditions": draft.conditions, "reenrols": draft.reenrols}
    if draft.trigger.get("on") or workflow.trigger:
        facts["trigger"] = draft.trigger
    problems: dict[str, list[str]] = {}
    for write in (lambda: _change(workflow, facts, by), lambda: writing.save_steps(workflow, draft.steps, by)):
        try:
            with transaction.atomic():
                write()
        except InvalidWorkflow as error:
            problems |= error.fields or {"": [str(error)]}
    if problems:
        raise InvalidWorkflow(_("Nothing was saved yet: something is missing or wrong below."), fields=problems)
    return Workflow.objects.select_related("account", "version").get(pk=workflow.pk)


@transaction.atomic
def change(workflow: Workflow, *, read: str | None, by: Membership | None, **facts: Any) -> Workflow:
    """Change facts (see `writing.change`) over what was `read`: a mark, or None for over whatever is there."""
    return writing.change(_as_read(workflow, read, by), by=by, **facts)


@transaction.atomic
def replace_steps(
    workflow: Workflow, steps: Sequence[Mapping[str, Any]], *, read: str | None, by: Membership | None
) -> None:
    """Save steps over what was `read`: a mark, or None for over whatever is there."""
    writing.save_steps(_as_read(workflow, read, by), steps, by)


def _as_read(workflow: Workflow, read: str | None, by: Membership | None) -> Workflow:
    row = writing.locked(workflow, by)
    if read is not None and mark_of(row) != read:
        raise StaleWorkflow(row)
    return row


def _change(workflow: Workflow, facts: dict[str, Any], by: Membership) -> None:
    writing.change(workflow, by=by, **facts)


def _in_between(workflow: Workflow) -> str:
    version = workflow.version
    if version is None or version.by is None:
        return _("Somebody saved this workflow in the meantime.")
    when = date_format(timezone.localtime(version.created_at), "DATETIME_FORMAT")
    return _("Somebody saved this workflow in the meantime; its newest steps are of %(when)s, by %(who)s.") % {
        "who": version.by.name,
        "when": when,
    }
