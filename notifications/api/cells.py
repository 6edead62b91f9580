"""Cells as the API writes them: one type on one channel, on, off, or left to the layer below."""

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

from accounts.api.fields import Flag, Strict, Text
from accounts.errors import DomainError
from notifications.preferences import Cell

MOST = 1000


class CellIn(Strict):
    type = Text(max_length=80)
    channel = Text(max_length=20)
    on = Flag(allow_null=True, help_text="null: the layer below decides.")


class CellsIn(Strict):
    cells = serializers.ListField(child=CellIn(), min_length=1, max_length=MOST)


class SaidCell(serializers.Serializer[Any]):
    type = serializers.CharField()
    channel = serializers.CharField()
    on = serializers.BooleanField()


EXAMPLE = {"cells": [{"type": "deals.stage_changed", "channel": "email", "on": False}]}


def chosen(cells: Sequence[dict[str, Any]]) -> dict[Cell, bool | None]:
    """The cells by what they are. One that stands twice is refused: which of the two would count?"""
    times = Counter((cell["type"], cell["channel"]) for cell in cells)
    twice = [i for i, cell in enumerate(cells) if times[cell["type"], cell["channel"]] > 1]
    if twice:
        raise ValidationError({f"cells[{i}]": [_("This cell stands here more than once.")] for i in twice})
    return {(cell["type"], cell["channel"]): cell["on"] for cell in cells}


@contextmanager
def pointed_out(cells: Sequence[dict[str, Any]]) -> Generator[None]:
    """Name refused cells by their place in the request."""
    places = {f"{cell['type']}/{cell['channel']}": f"cells[{i}]" for i, cell in enumerate(cells)}
    try:
        yield
    except DomainError as refused:
        refused.fields = {places.get(name, name): lines for name, lines in refused.fields.items()}
        raise
