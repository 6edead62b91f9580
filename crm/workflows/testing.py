"""Trying a workflow on one record: what would happen, without anything happening."""

from dataclasses import dataclass

from crm.models import Record, Workflow


@dataclass(frozen=True)
class TriedStep:
    step_id: str
    do: str
    words: str
    would_happen: bool


def matches(workflow: Workflow, record: Record) -> bool:
    """Whether the conditions of the workflow hold for a record."""
    raise NotImplementedError


def try_on(workflow: Workflow, record: Record) -> list[TriedStep]:
    """What each step of the newest version would do with this record, on the branches it would take."""
    raise NotImplementedError
