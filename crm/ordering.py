"""Rows that stand in an order of their own (`position`): putting one somewhere else among them."""

from collections.abc import Iterable
from typing import TypeVar

from crm.models import CustomProperty, Pipeline, Stage

Ordered = TypeVar("Ordered", CustomProperty, Pipeline, Stage)


def place(row: Ordered, among: Iterable[Ordered], to: int) -> None:
    """Put a row at a place among these, counted from nought; what lies beyond is the end. Writes only what moves.

    The caller holds the account, so that two who move at once do so one after the other.
    """
    there = [one for one in among if one.pk != row.pk]
    there.insert(max(0, to), row)
    for position, one in enumerate(there):
        if one.position != position:
            one.position = position
            one.save(update_fields=["position"])
