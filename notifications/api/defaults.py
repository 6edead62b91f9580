"""What super admins set for everybody: account defaults, locks, and the record of all such changes."""

from datetime import datetime
from typing import Any

from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts import plans
from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import Flag, Moment, Strict, Text
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.models import Account
from accounts.plans import Feature
from notifications import defaults, layers, presets, saying
from notifications.api import cells
from notifications.api.cells import CellIn, CellsIn, SaidCell
from notifications.defaults import Change
from notifications.models import Lock, PreferenceChange, Profile
from notifications.preferences import Cell
from notifications.resolution import Layer


class AdminDoor(Door):
    """Open to super admins and keys of accounts whose plan has default preferences."""

    required_scope = {
        "GET": "preferences.read",
        "POST": "preferences.write",
        "PATCH": "preferences.write",
        "DELETE": "preferences.write",
    }
    admins_only = True

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        plans.require(self.request.account.plan, Feature.DEFAULT_PREFERENCES)


class TriedCells(CellsIn):
    dry_run = Flag(required=False, help_text="Only count what would change.")


class FilledCells(Strict):
    """Cells, a preset, or a preset with cells that are to be otherwise."""

    cells = serializers.ListField(child=CellIn(), min_length=1, max_length=cells.MOST, required=False)
    preset = serializers.ChoiceField(
        choices=list(presets.PRESETS), required=False, help_text="Begin with this one; `cells` win over it."
    )
    dry_run = Flag(required=False, help_text="Only count what would change.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if not attrs.keys() & {"cells", "preset"}:
            raise ValidationError({"cells": [_("Say what should change: cells, a preset, or both.")]})
        return attrs


class TriedLocks(TriedCells):
    reason = Text(required=False, max_length=defaults.LONGEST_REASON, help_text="Members read it beside the setting.")
    ends_at = Moment(
        required=False, allow_null=True, help_text="Until when, at most ten years ahead; null: until it is lifted."
    )


class ChangeOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    layer = serializers.CharField()
    summary = serializers.CharField()
    profile = serializers.IntegerField(allow_null=True)
    members_affected = serializers.IntegerField()
    cells_affected = serializers.IntegerField()
    made_by = serializers.IntegerField(allow_null=True, help_text="The member; null: a program or the operator.")
    made_at = serializers.DateTimeField()
    undoes = serializers.IntegerField(allow_null=True)


class Done(serializers.Serializer[Any]):
    members_affected = serializers.IntegerField(help_text="Members for whom something turns on or off.")
    cells_affected = serializers.IntegerField()
    change = ChangeOut(allow_null=True, help_text="The record; null: nothing changed, or it was a dry run.")


class Began(serializers.Serializer[Any]):
    preset = serializers.CharField()
    differing = serializers.IntegerField(help_text="How many answers are others now than the preset’s.")


class SaidCells(serializers.Serializer[Any]):
    cells = SaidCell(many=True)
    began = Began(allow_null=True, help_text="The preset it began with last; null: none.")


class LockOut(SaidCell):
    id = serializers.IntegerField()
    reason = serializers.CharField()
    ends_at = serializers.DateTimeField(allow_null=True)
    locked_by = serializers.IntegerField(allow_null=True)


class Locked(serializers.Serializer[Any]):
    results = LockOut(many=True)


BEGAN = {"preset": "calm", "differing": 3}
RECORD = {
    "id": 31,
    "layer": "default",
    "summary": "Account default: a deal moves to another stage, e-mail off",
    "profile": None,
    "members_affected": 14,
    "cells_affected": 14,
    "made_by": 7,
    "made_at": "2027-03-09T08:30:00Z",
    "undoes": None,
}
DONE = {"members_affected": 14, "cells_affected": 14, "change": RECORD}
LOCK = {
    "id": 5,
    "type": "deals.stage_changed",
    "channel": "email",
    "on": True,
    "reason": "Sales follows up by mail this quarter.",
    "ends_at": None,
    "locked_by": 7,
}


class DefaultPreferences(AdminDoor):
    @operation(out=SaidCells, answer={**cells.EXAMPLE, "began": BEGAN})
    def get(self, request: ApiRequest) -> Response:
        """List what the account's defaults say; cells that are not here are left to the built-in defaults."""
        return Response(said_and_began(request.account, Layer.DEFAULT))

    @operation(out=Done, body=FilledCells, example=cells.EXAMPLE, answer=DONE, also=(409,))
    def patch(self, request: ApiRequest) -> Response:
        """Change the account's defaults, all cells or none: single cells, a preset, or a preset with cells otherwise.

        Members whose settings change are told once. `null` gives a cell back to the built-in default.
        """
        return Response(carry_out(request, self.body(FilledCells), Layer.DEFAULT))


class Locks(AdminDoor):
    @operation(out=Locked, answer={"results": [LOCK]})
    def get(self, request: ApiRequest) -> Response:
        """List the locks that hold now."""
        return Response({"results": [word_lock(lock) for lock in layers.standing_locks(request.account)]})

    @operation(
        out=Done,
        body=TriedLocks,
        example={**cells.EXAMPLE, "reason": LOCK["reason"], "ends_at": None},
        answer={**DONE, "change": {**RECORD, "layer": "lock"}},
        also=(409,),
    )
    def post(self, request: ApiRequest) -> Response:
        """Lock cells on or off for everybody, with a reason that members read. `null` lifts a lock."""
        given = self.body(TriedLocks)
        return Response(
            carry_out(request, given, Layer.LOCK, reason=given.get("reason", ""), ends_at=given.get("ends_at"))
        )


class OneLock(AdminDoor):
    @operation(out=LockOut, answer=LOCK)
    def get(self, request: ApiRequest, lock_id: int) -> Response:
        """Show a lock."""
        return Response(word_lock(get_object_or_404(Lock, account=request.account, pk=lock_id)))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, lock_id: int) -> Response:
        """Lift a lock."""
        lock = get_object_or_404(Lock, account=request.account, pk=lock_id)
        defaults.apply(
            request.account, Change(layer=Layer.LOCK, cells={(lock.type, lock.channel): None}), by=request.member
        )
        return Response(status=204)


class Changes(AdminDoor):
    @operation(out=page_of(ChangeOut), query=PageQuery, answer={"results": [RECORD], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the changes made to defaults, profiles and locks, newest first."""
        rows = PreferenceChange.objects.filter(account=request.account)
        return page(request, rows, self.query(PageQuery), word=word_change)


class UndoChange(AdminDoor):
    @operation(out=ChangeOut, answer=RECORD, also=(409, 422))
    def post(self, request: ApiRequest, change_id: int) -> Response:
        """Undo a change. Refused when something was changed again since."""
        change = get_object_or_404(
            PreferenceChange.objects.select_related("account", "profile"), account=request.account, pk=change_id
        )
        return Response(word_change(defaults.undo(change, by=request.member)))


def carry_out(
    request: ApiRequest,
    given: dict[str, Any],
    layer: Layer,
    *,
    profile: Profile | None = None,
    reason: str = "",
    ends_at: datetime | None = None,
) -> dict[str, Any]:
    """Apply a change to a layer, or only count what it would do."""
    asked, preset = given.get("cells", []), given.get("preset", "")
    begun: dict[Cell, bool | None] = dict(presets.cells(presets.PRESETS[preset])) if preset else {}
    change = Change(
        layer=layer,
        cells=begun | cells.chosen(asked),
        profile=profile,
        reason=reason,
        ends_at=ends_at,
        preset=preset,
    )
    with cells.pointed_out(asked):
        if given.get("dry_run"):
            counted = defaults.preview(request.account, change)
            return _done(counted.members_affected, counted.cells_affected, None)
        made = defaults.apply(request.account, change, by=request.member)
    return _done(made.members_affected, made.cells_affected, made) if made else _done(0, 0, None)


def _done(members: int, touched: int, made: PreferenceChange | None) -> dict[str, Any]:
    return {
        "members_affected": members,
        "cells_affected": touched,
        "change": word_change(made) if made is not None else None,
    }


def said(account: Account, layer: Layer, profile: Profile | None = None) -> list[dict[str, Any]]:
    """The cells for which a layer has an answer."""
    found = []
    for name, value in sorted(saying.stored(account, layer, profile).items()):
        type_key, channel = saying.cell_of(name)
        found.append({"type": type_key, "channel": channel, "on": saying.is_on(value)})
    return found


def said_and_began(account: Account, layer: Layer, profile: Profile | None = None) -> dict[str, Any]:
    """What a layer says, and the preset it began with."""
    began = presets.beginning(account, layer, saying.stored(account, layer, profile), profile)
    return {
        "cells": said(account, layer, profile),
        "began": {"preset": began.preset.key, "differing": began.differing} if began else None,
    }


def word_change(change: PreferenceChange) -> dict[str, Any]:
    return {
        "id": change.pk,
        "layer": change.layer,
        "summary": change.summary,
        "profile": change.profile_id,
        "members_affected": change.members_affected,
        "cells_affected": change.cells_affected,
        "made_by": change.made_by_id,
        "made_at": change.made_at,
        "undoes": change.undoes_id,
    }


def word_lock(lock: Lock) -> dict[str, Any]:
    return {
        "id": lock.pk,
        "type": lock.type,
        "channel": lock.channel,
        "on": lock.is_on,
        "reason": lock.reason,
        "ends_at": lock.ends_at,
        "locked_by": lock.locked_by_id,
    }
