"""Profiles: defaults for one role or one team."""

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from accounts.api.doors import ApiRequest
from accounts.api.fields import Strict, Text, Whole
from accounts.api.schema import operation
from accounts.models import Role, Team
from notifications import profiles
from notifications.api import cells, defaults
from notifications.api.cells import SaidCell
from notifications.api.defaults import BEGAN, DONE, AdminDoor, Began, Done, FilledCells
from notifications.models import Profile
from notifications.resolution import Layer


class ProfileIn(Strict):
    name = Text(max_length=120)
    role = Text(required=False, max_length=20, help_text=f"One of {', '.join(Role.values)}; or give a team.")
    team = Whole(required=False, allow_null=True)


class ProfileChanges(Strict):
    name = Text(required=False, max_length=120)
    position = Whole(min_value=0, max_value=profiles.MOST, required=False, help_text="0 answers first.")


class ProfileOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    role = serializers.CharField(help_text="Empty where it is for a team.")
    team = serializers.IntegerField(allow_null=True)
    position = serializers.IntegerField(help_text="Where several apply to a member, the lowest answers first.")


class ProfileWithCells(ProfileOut):
    cells = SaidCell(many=True)
    began = Began(allow_null=True, help_text="The preset it began with last; null: none.")


class ProfilesOut(serializers.Serializer[Any]):
    results = ProfileOut(many=True)


SHOWN = {"id": 2, "name": "Sales", "role": "", "team": 3, "position": 0}


class Profiles(AdminDoor):
    @operation(out=ProfilesOut, answer={"results": [SHOWN]})
    def get(self, request: ApiRequest) -> Response:
        """List the account's profiles, in the order in which they answer."""
        return Response({"results": [word(profile) for profile in Profile.objects.filter(account=request.account)]})

    @operation(out=ProfileWithCells, status=201, body=ProfileIn, example={"name": "Sales", "team": 3})
    def post(self, request: ApiRequest) -> Response:
        """Make a profile for a role or a team. It says nothing yet and answers after the others."""
        given = self.body(ProfileIn)
        team = None
        if given.get("team") is not None:
            team = Team.objects.filter(account=request.account, pk=given["team"]).first()
            if team is None:
                raise ValidationError({"team": [_("There is no such team.")]})
        change = profiles.create(
            request.account, name=given["name"], role=given.get("role", ""), team=team, by=request.member
        )
        assert change.profile is not None
        return Response(word_all(change.profile), status=201)


class OneProfile(AdminDoor):
    @operation(out=ProfileWithCells, answer={**SHOWN, **cells.EXAMPLE, "began": BEGAN})
    def get(self, request: ApiRequest, profile_id: int) -> Response:
        """Show a profile and what it says."""
        return Response(word_all(profile_of(request, profile_id)))

    @operation(out=ProfileWithCells, body=ProfileChanges, example={"name": "Sales team", "position": 0})
    def patch(self, request: ApiRequest, profile_id: int) -> Response:
        """Rename a profile, or move it."""
        given = self.body(ProfileChanges)
        profile = profile_of(request, profile_id)
        with transaction.atomic():
            if "name" in given and given["name"] != profile.name:
                profiles.rename(profile, name=given["name"], by=request.member)
            if "position" in given and given["position"] != profile.position:
                profiles.move(profile, to=given["position"], by=request.member)
        return Response(word_all(profile_of(request, profile_id)))

    @operation(status=204, also=(409,))
    def delete(self, request: ApiRequest, profile_id: int) -> Response:
        """Remove a profile with all it says. Members whose settings change are told."""
        profiles.delete(profile_of(request, profile_id), by=request.member)
        return Response(status=204)


class ProfileCellsDoor(AdminDoor):
    @operation(out=Done, body=FilledCells, example={"preset": "calm", **cells.EXAMPLE}, answer=DONE, also=(409,))
    def patch(self, request: ApiRequest, profile_id: int) -> Response:
        """Change what a profile says, all cells or none: single cells, a preset, or a preset with cells otherwise.

        `null`: it says nothing of the cell.
        """
        given = self.body(FilledCells)
        profile = profile_of(request, profile_id)
        return Response(defaults.carry_out(request, given, Layer.PROFILE, profile=profile))


def profile_of(request: ApiRequest, profile_id: int) -> Profile:
    """The account's profile with that id."""
    return get_object_or_404(Profile.objects.select_related("account", "team"), account=request.account, pk=profile_id)


def word(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.pk,
        "name": profile.name,
        "role": profile.role,
        "team": profile.team_id,
        "position": profile.position,
    }


def word_all(profile: Profile) -> dict[str, Any]:
    return {**word(profile), **defaults.said_and_began(profile.account, Layer.PROFILE, profile)}
