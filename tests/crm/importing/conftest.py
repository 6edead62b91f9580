"""Files to import, and the whole way from a text to its outcomes."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Membership
from crm import schema
from crm.importing import deciding, running, uploading
from crm.importing.plans import Plan
from crm.models import ImportJob, ImportRow

PEOPLE = "E-mail,First name,City\nmia@fjordline.example,Mia,Bergen\ntomas@fjordline.example,Tomás,Porto\n"


def carry_on() -> None:
    """What the workers would do."""
    while running.step():
        pass


@pytest.fixture
def uploaded(alice: Membership) -> Callable[..., ImportJob]:
    """A file that waits for its columns, uploaded by alice unless said otherwise."""

    def run(content: str | bytes = PEOPLE, kind: str = "contacts", *, by: Membership | None = alice) -> ImportJob:
        raw = content.encode() if isinstance(content, str) else content
        return uploading.upload(
            alice.account, schema.kind_of(alice.account, kind), file="trade-fair.csv", content=raw, by=by
        )

    return run


@pytest.fixture
def tried(uploaded: Callable[..., ImportJob]) -> Callable[..., ImportJob]:
    """A file after its dry run; `choices` replace what was proposed."""

    def run(content: str | bytes = PEOPLE, kind: str = "contacts", *, by: Any = ..., **choices: Any) -> ImportJob:
        job = uploaded(content, kind) if by is ... else uploaded(content, kind, by=by)
        deciding.check(job, Plan.read(job.plan | choices))
        carry_on()
        job.refresh_from_db()
        return job

    return run


@pytest.fixture
def imported(tried: Callable[..., ImportJob]) -> Callable[..., ImportJob]:
    """A file that was imported."""

    def run(content: str | bytes = PEOPLE, kind: str = "contacts", **choices: Any) -> ImportJob:
        job = deciding.start(tried(content, kind, **choices))
        carry_on()
        job.refresh_from_db()
        return job

    return run


def forecasts(job: ImportJob) -> list[str]:
    return list(ImportRow.objects.filter(job=job).order_by("number").values_list("forecast", flat=True))


def outcomes(job: ImportJob) -> list[str]:
    return list(ImportRow.objects.filter(job=job).order_by("number").values_list("outcome", flat=True))


def reasons(job: ImportJob) -> list[tuple[str, str]]:
    """Column and sentence, of all rows."""
    rows = ImportRow.objects.filter(job=job).order_by("number").values_list("reasons", flat=True)
    return [(column, sentence) for several in rows for column, sentence in several]
