"""What a member wants where: the grid with its origins, and changing many cells at once."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Strict, Text
from accounts.api.schema import operation
from accounts.errors import DomainError
from accounts.models import Membership
from notifications import hearing, preferences, sounds
from notifications.api import cells
from notifications.api.cells import MOST, CellIn
from notifications.api.naming import AboutQuery, subject_of
from notifications.models import How
from notifications.preferences import CellState
from notifications.types.base import NotificationType


class PreferenceQuery(AboutQuery):
    topic = serializers.CharField(required=False, max_length=80, help_text="A topic, such as `deals`.")


class CellOut(serializers.Serializer[Any]):
    channel = serializers.CharField()
    on = serializers.BooleanField()
    layer = serializers.CharField(help_text="Who says so: own, profile, default, lock, …")
    origin = serializers.CharField(help_text="The same in words.")
    is_changeable = serializers.BooleanField()


class RowOut(serializers.Serializer[Any]):
    type = serializers.CharField()
    topic = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    sound = serializers.CharField(
        allow_null=True, help_text="The type's own sound; null: the default, or the type never pops up."
    )
    cells = CellOut(many=True)


class Grid(serializers.Serializer[Any]):
    member = serializers.IntegerField()
    plays_sound = serializers.BooleanField(help_text="Whether pop-ups make a sound at all.")
    default_sound = serializers.CharField(
        help_text=f"The sound of pop-ups without their own: {', '.join(sounds.KEYS)}."
    )
    types = RowOut(many=True)


class SoundIn(Strict):
    type = Text(max_length=80)
    sound = Text(max_length=20, allow_null=True, help_text=f"{', '.join(sounds.KEYS)}; null: the default.")


class PreferencesIn(Strict):
    """Any of these; at least one."""

    cells = serializers.ListField(child=CellIn(), min_length=1, max_length=MOST, required=False)
    sounds = serializers.ListField(
        child=SoundIn(), min_length=1, max_length=MOST, required=False, help_text="The sound of single types."
    )
    default_sound = Text(
        max_length=20, allow_null=True, required=False, help_text="Of all other pop-ups. null: the built-in one."
    )
    plays_sound = Flag(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs:
            raise ValidationError({"cells": [_("Say what should change: cells, sounds, or another field.")]})
        return attrs


EXAMPLE = {**cells.EXAMPLE, "sounds": [{"type": "deals.mentioned", "sound": "glass"}], "default_sound": "chime"}
SHOWN = {
    "member": 12,
    "plays_sound": True,
    "default_sound": "chime",
    "types": [
        {
            "type": "deals.stage_changed",
            "topic": "deals",
            "label": "A deal you own or follow moves to another stage",
            "sound": None,
            "cells": [
                {
                    "channel": "email",
                    "on": False,
                    "layer": "own",
                    "origin": "your own choice",
                    "is_changeable": True,
                }
            ],
        }
    ],
}


class Preferences(Door):
    required_scope = {"GET": "preferences.read", "PATCH": "preferences.write"}

    @operation(out=Grid, query=PreferenceQuery, answer=SHOWN)
    def get(self, request: ApiRequest) -> Response:
        """Show a member's preferences, each cell with the layer it comes from."""
        asked = self.query(PreferenceQuery)
        member = subject_of(request, asked)
        topic = asked.get("topic")
        kinds = [kind for kind in preferences.kinds_for(member) if topic is None or kind.topic.key == topic]
        return Response(grid(member, kinds))

    @operation(out=Grid, body=PreferencesIn, query=AboutQuery, example=EXAMPLE, answer=SHOWN, also=(409,))
    def patch(self, request: ApiRequest) -> Response:
        """Change many of a member's own choices at once, all or none: cells, and the sounds of pop-ups.

        `null` gives a cell back to the layer below, and a sound to the default. Answers with the rows of the types
        that were named.
        """
        given = self.body(PreferencesIn)
        member = subject_of(request, self.query(AboutQuery))
        wanted, heard = cells.chosen(given.get("cells", [])), _heard(given.get("sounds", []))
        with transaction.atomic():
            with cells.pointed_out(given.get("cells", [])):
                preferences.choose(member, wanted, how=How.API)
            _choose_sounds(member, given, heard)
        named = {type_key for type_key, _channel in wanted} | heard.keys()
        return Response(grid(member, [kind for kind in preferences.kinds_for(member) if kind.key in named]))


def _heard(given: Sequence[dict[str, Any]]) -> dict[str, str | None]:
    """The sounds by type. A type that stands twice is refused: which of the two would count?"""
    times = Counter(each["type"] for each in given)
    if twice := [i for i, each in enumerate(given) if times[each["type"]] > 1]:
        raise ValidationError({f"sounds[{i}]": [_("This type stands here more than once.")] for i in twice})
    return {each["type"]: each["sound"] for each in given}


def _choose_sounds(member: Membership, given: dict[str, Any], heard: dict[str, str | None]) -> None:
    if "plays_sound" in given:
        preferences.set_options(member, plays_sound=given["plays_sound"])
    if "default_sound" in given:
        hearing.set_default(member, given["default_sound"])
    try:
        hearing.choose(member, heard)
    except DomainError as refused:
        places = {type_key: f"sounds[{i}]" for i, type_key in enumerate(heard)}
        refused.fields = {places.get(name, name): lines for name, lines in refused.fields.items()}
        raise


def grid(member: Membership, kinds: list[NotificationType]) -> dict[str, Any]:
    now = preferences.standing(member, kinds)
    heard = hearing.of(member, now.settings)
    return {
        "member": member.pk,
        "plays_sound": heard.plays,
        "default_sound": heard.default,
        "types": [
            {
                "type": kind.key,
                "topic": kind.topic.key,
                "label": str(kind.label),
                "sound": heard.own.get(kind.key),
                "cells": [word(cell) for cell in now.cells(kind) if cell.is_offered],
            }
            for kind in kinds
        ],
    }


def word(cell: CellState) -> dict[str, Any]:
    return {
        "channel": cell.channel.key,
        "on": cell.is_on,
        "layer": cell.layer,
        "origin": cell.origin,
        "is_changeable": cell.is_changeable,
    }
