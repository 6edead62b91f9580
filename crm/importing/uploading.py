"""Taking a file, and what can be said of it at once: kept whole, looked at, proposed how to read it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Membership
from crm.importing import files, plans, reading, sniffing
from crm.importing.plans import InvalidPlan, Plan
from crm.kinds import Kind
from crm.models import ImportJob

MOST_OPEN = 20  # imports of one member, or of the account's programs, that have not ended
SHOWN = 3  # rows that the page of columns shows


@dataclass(frozen=True)
class Beginning:
    """The first rows of a file, read in one way."""

    names: list[str]
    samples: list[list[str]]
    problem: str = ""  # why it cannot be read this way
    field: str = "delimiter"


@transaction.atomic
def upload(
    account: Account, kind: Kind, *, file: str, content: bytes, by: Membership | None, header: bool | None = None
) -> ImportJob:
    """Keep a file whose columns are chosen next. Refuses, in words, what cannot be one with rows in it.

    `header`: whether its first row holds names, where that is known.
    """
    if problem := _problem(content):
        raise InvalidPlan(_("The file was not taken."), fields={"file": [problem]})
    if ImportJob.objects.filter(account=account, by=by, finished_at=None).count() >= MOST_OPEN:
        sentence = _("You have %(most)d imports that have not ended. Import or discard one of them first.")
        raise InvalidPlan(_("The file was not taken."), fields={"file": [sentence % {"most": MOST_OPEN}]})
    form = sniffing.form_of(content)
    form = form if header is None else replace(form, header=header)
    start = beginning_of(content, Plan(form.encoding, form.delimiter, form.header), is_whole=True)
    if not start.samples and not start.problem:
        sentence = _("The file has a header but no rows.") if start.names else _("The file holds nothing but blanks.")
        raise InvalidPlan(_("The file was not taken."), fields={"file": [sentence]})
    job = ImportJob.objects.create(
        account=account,
        by=by,
        is_program=by is None,
        kind=kind.key,
        file=_name(file),
        size=len(content),
        columns=start.names,
        plan=plans.proposed(kind, form, start.names, start.samples).as_json(),
    )
    files.keep(job, content)
    return job


def beginning(job: ImportJob, plan: Plan) -> Beginning:
    """The names of the columns and the first rows, as this plan reads the file."""
    content = files.beginning(job, sniffing.SAMPLE)
    return beginning_of(content, plan, is_whole=job.size <= sniffing.SAMPLE)


def beginning_of(content: bytes, plan: Plan, *, is_whole: bool) -> Beginning:
    """The same of the bytes themselves."""
    lines = sniffing.lines_of(plan.encoding, content[: sniffing.SAMPLE], is_whole=is_whole)
    found: list[reading.Row] = []
    for row in reading.rows(lines, delimiter=plan.delimiter, encoding="utf-8"):
        found.append(row)
        if len(found) > SHOWN:
            break
    width = max((len(row.cells) for row in found), default=0)
    if plan.header and found:
        if found[0].problem:
            return Beginning([], [], _("The header cannot be read: %(why)s") % {"why": found[0].problem})
        width = len(found[0].cells)
    if width > plans.MOST_COLUMNS:
        return Beginning([], [], _("There are more than %(most)d columns.") % {"most": plans.MOST_COLUMNS})
    head: Sequence[str] = found[0].cells if plan.header and found else ()
    names = plans.named(head, has_header=plan.header, width=width)
    return Beginning(names, [row.cells for row in found[1 if plan.header else 0 :]][:SHOWN])


def _problem(content: bytes) -> str:
    if not content:
        return _("The file is empty.")
    if len(content) > settings.IMPORT_LARGEST_BYTES:
        return too_large()
    if sniffing.is_another_kind_of_file(content):
        return _("This is no CSV file. In a spreadsheet program choose “Save as” and CSV.")
    return ""


def too_large() -> str:
    return _("The file is larger than %(most)d MB. Split it.") % {"most": most_mb()}


def most_mb() -> int:
    return max(1, settings.IMPORT_LARGEST_BYTES // 2**20)


def _name(file: str) -> str:
    """The file's name as it may be shown: the last part of a path, printable, short."""
    last = file.replace("\\", "/").rpartition("/")[2]
    return "".join(c for c in last if c.isprintable()).strip()[:120] or _("file.csv")
