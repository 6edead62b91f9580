"""Tell members, teams or the owner (N-154): only people who may see the record."""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.models import Membership, Team
from crm import paths, telling
from crm.errors import InvalidRecord
from crm.models import ActionOutcome
from crm.workflows.actions.base import Action, Done, Step, Turn
from crm.workflows.reading import Part, active
from notifications.types import workflows as types

LONGEST_SUBJECT, LONGEST_MESSAGE = 120, 2_000


def read(part: Part) -> dict[str, Any]:
    members, teams, owner = part.members("members"), part.teams("teams"), part.flag("owner")
    if not (teams or owner or active(part.place.account, members)):
        part.wrong("members", _("Choose at least one active member, a team or the owner."))
    return {
        "subject": " ".join(part.text("subject", LONGEST_SUBJECT).split()),
        "message": part.text("message", LONGEST_MESSAGE),
        "members": members,
        "teams": teams,
        "owner": owner,
    }


def run(step: Step, turn: Turn) -> Done:
    event = telling.tell(
        types.NOTIFIED,
        about=turn.record,
        to=_chosen(step, turn),
        by=None,
        data={
            "subject": step["subject"],
            "message": step["message"],
            "workflow": turn.workflow.name,
            "url": paths.record(turn.record),
        },
        key=f"crm.workflow:{turn.enrolment.pk}:{step['id']}",
    )
    if event is None and not _is_anybody_left(step, turn):
        raise InvalidRecord(_("The people and teams who were chosen are gone."))
    if event is None:
        return Done(_("Nobody who was chosen is active and may see the record."), ActionOutcome.NOTHING)
    count = len(event.audience["members"])
    told = ngettext("%(n)d member was told: “%(subject)s”.", "%(n)d members were told: “%(subject)s”.", count)
    return Done(told % {"n": count, "subject": step["subject"]})


def _chosen(step: Step, turn: Turn) -> list[Membership]:
    wanted = Q(pk__in=step["members"])
    if step["teams"]:
        wanted |= Q(primary_team__in=step["teams"]) | Q(extra_teams__in=step["teams"])
    if step["owner"] and turn.record.owner_id:
        wanted |= Q(pk=turn.record.owner_id)
    here = Membership.objects.active().filter(wanted, account=turn.record.account_id)
    return list(here.select_related("user", "account").distinct())


def _is_anybody_left(step: Step, turn: Turn) -> bool:
    """Whether the step can still tell somebody of some record. An owner may come, and a team may get members."""
    account = turn.workflow.account
    return bool(
        step["owner"]
        or active(account, step["members"])
        or Team.objects.filter(account=account, pk__in=step["teams"]).exists()
    )


ACTION = Action("notify", gettext_lazy("Send a notification"), read, run)
