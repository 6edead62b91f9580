"""Members and teams of the account, to read."""

from typing import Any

from django.db.models import Q, QuerySet
from django.shortcuts import get_object_or_404
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest, Door
from accounts.api.fields import AskedFlag, AskedWhole
from accounts.api.paging import PageQuery, page
from accounts.api.schema import operation, page_of
from accounts.models import Account, Membership, Team


class MemberQuery(PageQuery):
    email = serializers.CharField(required=False, max_length=254, help_text="The member with this address.")
    team = AskedWhole(required=False, help_text="Members of this team, primary or extra.")
    active = AskedFlag(required=False)


class MemberOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    email = serializers.CharField()
    role = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    seat = serializers.CharField()
    availability = serializers.CharField()
    is_active = serializers.BooleanField()
    language = serializers.CharField()
    time_zone = serializers.CharField()
    primary_team = serializers.IntegerField(allow_null=True)
    extra_teams = serializers.ListField(child=serializers.IntegerField())


class TeamOut(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()


BOB = {
    "id": 12,
    "name": "Bob Berg",
    "email": "bob@example.com",
    "role": "member",
    "permissions": ["forms"],
    "seat": "paid",
    "availability": "available",
    "is_active": True,
    "language": "en",
    "time_zone": "Europe/Stockholm",
    "primary_team": 3,
    "extra_teams": [4],
}
SALES = {"id": 3, "name": "Sales"}


def members_of(account: Account) -> QuerySet[Membership]:
    return Membership.objects.of(account).select_related("user", "account").prefetch_related("extra_teams")


def word(member: Membership) -> dict[str, Any]:
    return {
        "id": member.pk,
        "name": member.name,
        "email": member.email,
        "role": member.role,
        "permissions": member.permissions,
        "seat": member.seat,
        "availability": member.availability,
        "is_active": member.is_active and member.user.is_active,
        "language": member.spoken_language,
        "time_zone": member.zone.key,
        "primary_team": member.primary_team_id,
        "extra_teams": sorted(team.pk for team in member.extra_teams.all()),
    }


def word_team(team: Team) -> dict[str, Any]:
    return {"id": team.pk, "name": team.name}


class Members(Door):
    required_scope = "members.read"

    @operation(out=page_of(MemberOut), query=MemberQuery, answer={"results": [BOB], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the members of the account."""
        asked = self.query(MemberQuery)
        members = members_of(request.account)
        if "email" in asked:
            members = members.filter(user__email=asked["email"].lower())
        if "team" in asked:
            extra = Membership.extra_teams.through.objects.filter(team_id=asked["team"]).values("membership_id")
            members = members.filter(Q(primary_team_id=asked["team"]) | Q(pk__in=extra))
        if "active" in asked:
            active = Membership.objects.active().of(request.account)
            members = members.filter(pk__in=active) if asked["active"] else members.exclude(pk__in=active)
        return page(request, members, asked, word=word, newest_first=False)


class OneMember(Door):
    required_scope = "members.read"

    @operation(out=MemberOut, answer=BOB)
    def get(self, request: ApiRequest, member_id: int) -> Response:
        """Show a member."""
        return Response(word(get_object_or_404(members_of(request.account), pk=member_id)))


class Teams(Door):
    required_scope = "members.read"

    @operation(out=page_of(TeamOut), query=PageQuery, answer={"results": [SALES], "next": None})
    def get(self, request: ApiRequest) -> Response:
        """List the teams of the account."""
        teams = Team.objects.filter(account=request.account)
        return page(request, teams, self.query(PageQuery), word=word_team, newest_first=False)


class OneTeam(Door):
    required_scope = "members.read"

    @operation(out=TeamOut, answer=SALES)
    def get(self, request: ApiRequest, team_id: int) -> Response:
        """Show a team."""
        return Response(word_team(get_object_or_404(Team, account=request.account, pk=team_id)))
