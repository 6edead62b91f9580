"""@mentions of members and teams in what people write on records.

In a text a mention is `@[Bob Berg](member:7)` or `@[Sales](team:3)`: what the picker puts there. The first time a
person is mentioned in a text counts, by name or through a team; never oneself, never through the API (D9's page).
"""

import re
from dataclasses import dataclass

from django.db.models import Q
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe

from accounts.models import Membership, Team
from crm import paths, permissions, schema, telling
from crm.models import Activity, Mention, Source
from notifications.types import comments

_TOKEN = re.compile(r"@\[([^\]\n]{1,150})\]\((member|team):([0-9]{1,18})\)")


@dataclass(frozen=True)
class Named:
    """The ids that a text mentions, in their order."""

    members: tuple[int, ...] = ()
    teams: tuple[int, ...] = ()


def named_in(text: str) -> Named:
    found: dict[str, dict[int, None]] = {"member": {}, "team": {}}
    for _name, what, pk in _TOKEN.findall(text):
        found[what][int(pk)] = None
    return Named(tuple(found["member"]), tuple(found["team"]))


def plain(text: str) -> str:
    """The text as it is read in a mail: "@Bob Berg"."""
    return _TOKEN.sub(r"@\1", text)


def as_html(text: str) -> SafeString:
    """The text as a page shows it: escaped, mentions marked."""
    marked = _TOKEN.sub(r'<span class="mention">@\1</span>', escape(text))
    return mark_safe(marked)  # noqa: S308 (escaped above; what is put in is our own)


def token(who: Membership | Team) -> str:
    """What the picker puts into a text."""
    name = who.name.translate({ord("["): "(", ord("]"): ")"})[:150]
    return f"@[{name}]({'team' if isinstance(who, Team) else 'member'}:{who.pk})"


def note(activity: Activity) -> list[Membership]:
    """Remember who is mentioned in a text for the first time and tell them. Returns who is told.

    In the caller's transaction; names of other accounts and unknown ones are only text.
    """
    people = _people(activity)
    there = set(activity.mentions.values_list("member_id", flat=True))
    new = {pk: found for pk, found in people.items() if pk not in there}
    if not new:
        return []
    seers = {one.pk for one in permissions.who_may_see(activity.record, [one for one, _team in new.values()])}
    rows = [
        Mention(activity=activity, member=one, team=team, untold=_why_not(activity, one, seers))
        for one, team in new.values()
    ]
    Mention.objects.bulk_create(rows, ignore_conflicts=True)
    told = [row.member for row in rows if not row.untold]
    _tell(activity, told)
    return told


def _people(activity: Activity) -> dict[int, tuple[Membership, Team | None]]:
    """Who is mentioned, each with the team they are mentioned through, if not by name. Two queries at most."""
    named = named_in(activity.text)
    if not (named.members or named.teams):
        return {}
    account = activity.record.account_id
    teams = {team.pk: team for team in Team.objects.filter(account=account, pk__in=named.teams)} if named.teams else {}
    members = (
        Membership.objects.filter(account=account)
        .filter(Q(pk__in=named.members) | Q(primary_team__in=teams) | Q(extra_teams__in=teams))
        .select_related("user", "account")
        .prefetch_related("extra_teams")
        .distinct()
    )
    found: dict[int, tuple[Membership, Team | None]] = {}
    for one in members:
        theirs = {one.primary_team_id, *(team.pk for team in one.extra_teams.all())}
        through = next((teams[pk] for pk in named.teams if pk in theirs and pk in teams), None)
        found[one.pk] = (one, None if one.pk in named.members else through)
    return found


def _why_not(activity: Activity, member: Membership, seers: set[int]) -> str:
    for applies, why in (
        (activity.author_id == member.pk, "self"),
        (activity.source == Source.API, "api"),
        (not (member.is_active and member.user.is_active), "inactive"),
        (member.pk not in seers, "may_not_see"),
    ):
        if applies:
            return why
    return ""


def _tell(activity: Activity, people: list[Membership]) -> None:
    """In the words of the record's kind; in a comment, in those of comments (N-063)."""
    if not people:
        return
    record, by = activity.record, activity.author
    data: dict[str, str | int] = {
        "actor": telling.actor(by),
        "excerpt": telling.short(plain(activity.text)),
        "url": paths.activity(activity),
    }
    if activity.parent is not None:
        type_ = comments.MENTIONED
        data["activity"] = _name_of(activity.parent)
    else:
        kind = schema.kind_of(record.account, record.kind)
        type_ = kind.told.mentioned
        data[kind.told.word if kind.told.word in type_.example else "record"] = record.title
        if "kind" in type_.example:
            data["kind"] = str(kind.label)
    edition = activity.edited_at.isoformat() if activity.edited_at else "first"
    telling.tell(type_, about=record, to=people, by=by, data=data, key=f"crm.mentioned:{activity.pk}:{edition}")


def _name_of(activity: Activity) -> str:
    return activity.subject or telling.short(plain(activity.text), 80) or activity.get_kind_display()
