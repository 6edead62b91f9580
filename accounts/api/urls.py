"""The API's addresses for people."""

from django.urls import path

from accounts.api import paths as paths  # registers <row:…>
from accounts.api.members import Members, OneMember, OneTeam, Teams

urlpatterns = [
    path("members/", Members.as_view(), name="members"),
    path("members/<row:member_id>/", OneMember.as_view(), name="member"),
    path("teams/", Teams.as_view(), name="teams"),
    path("teams/<row:team_id>/", OneTeam.as_view(), name="team"),
]
