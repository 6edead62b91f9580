"""What a member decides about an import: its columns, to begin, to stop, to take it back. Done by a worker."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.conf import settings as project
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from crm import schema
from crm.importing import files, plans, sniffing, uploading
from crm.importing.plans import InvalidPlan, Plan
from crm.kinds import Kind
from crm.models import ImportJob, ImportState

OPEN = (ImportState.MAPPING, ImportState.CHECKED)


class NotNow(DomainError):
    """The import stands elsewhere by now."""

    code = "import_not_now"


@transaction.atomic
def begin(
    account: Account, kind: Kind, *, file: str, content: bytes, by: Membership | None, choices: Mapping[str, Any]
) -> ImportJob:
    """Take a file and try it out at once, with these choices and what is proposed for the others. All or nothing."""
    header = choices.get("header")
    job = uploading.upload(account, kind, file=file, content=content, by=by, header=header)
    plan = Plan.read(job.plan)
    if "delimiter" in choices and choices["delimiter"] in sniffing.DELIMITERS:
        plan = replace(plan, delimiter=choices["delimiter"])
        plan = plans.proposed_columns(kind, plan, uploading.beginning(job, plan).names)
    return check(job, replace(plan, **choices))


@transaction.atomic
def check(job: ImportJob, plan: Plan) -> ImportJob:
    """Try the file out with these choices: nothing is written to any record. Refuses with `InvalidPlan`."""
    job = _held(job, *OPEN)
    kind = schema.kind_of(job.account, job.kind)
    if plan.encoding not in sniffing.ENCODINGS or plan.delimiter not in sniffing.DELIMITERS:
        field = "delimiter" if plan.encoding in sniffing.ENCODINGS else "encoding"
        raise InvalidPlan(_("Nothing was begun."), fields={field: [_("Choose one from the list.")]})
    if not sniffing.can_be(plan.encoding, files.pieces(job)):
        sentence = _("The file holds bytes that are no text in this encoding. Choose another one.")
        raise InvalidPlan(_("Nothing was begun."), fields={"encoding": [sentence]})
    start = uploading.beginning(job, plan)
    if start.problem or not start.samples:
        words = start.problem or _("There are no rows below the header.")
        raise InvalidPlan(_("Nothing was begun."), fields={"delimiter" if start.problem else "header": [words]})
    job.plan = plans.checked(plan, kind, width=len(start.names)).as_json()
    job.columns = start.names
    if job.read_as != plan.form:
        job.state = ImportState.READING
        job.read_to = job.lines = job.rows = 0
    else:
        job.state = ImportState.CHECKING
    job.position, job.forecast, job.problem, job.stumbles = 0, {}, "", 0
    return _go(job)


@transaction.atomic
def start(job: ImportJob) -> ImportJob:
    """Import for good what was tried out. Refuses unless it was."""
    job = _held(job, ImportState.CHECKED)
    job.state, job.position, job.stumbles = ImportState.IMPORTING, 0, 0
    return _go(job)


@transaction.atomic
def roll_back(job: ImportJob, *, by: Membership | None) -> ImportJob:
    """Take back what was imported, where nobody changed it since. Refuses what was not imported."""
    job = _held(job, ImportState.DONE, ImportState.CANCELLED, ImportState.FAILED)
    if not job.outcomes:
        raise NotNow(_("Nothing was imported, so there is nothing to take back."))
    job.state, job.position, job.undone_by, job.stumbles = ImportState.ROLLING_BACK, job.rows + 1, by, 0
    job.finished_at, job.problem = None, ""
    return _go(job)


@transaction.atomic
def cancel(job: ImportJob) -> None:
    """Stop: at once what waits for a decision, before the next batch what is under way. Twice is once."""
    waiting = ImportJob.objects.filter(pk=job.pk, state__in=OPEN)
    if waiting.update(state=ImportState.CANCELLED, finished_at=timezone.now()):
        files.forget(job)
        return
    running = (ImportState.READING, ImportState.CHECKING, ImportState.IMPORTING)
    ImportJob.objects.filter(pk=job.pk, state__in=running, cancel_at=None).update(cancel_at=timezone.now())


def most_rows() -> int:
    return int(project.IMPORT_MOST_ROWS)


def _held(job: ImportJob, *states: ImportState) -> ImportJob:
    """The import as it is now, held until the transaction ends. Refuses when it stands elsewhere."""
    row = ImportJob.objects.select_for_update(of=("self",)).select_related("account", "by__user", "by__account")
    found = row.get(pk=job.pk)
    if found.state not in states:
        raise NotNow(_("This import %(state)s. Look at it again.") % {"state": found.get_state_display()})
    return found


def _go(job: ImportJob) -> ImportJob:
    job.cancel_at, job.touched_at = None, timezone.now()
    job.save()
    transaction.on_commit(_wake, robust=True)
    return job


def _wake() -> None:
    from crm.tasks import carry_imports  # domain modules know no Celery
    from notifications.tasks import wake

    wake(carry_imports)
