"""Finding people and teams of the account by a few letters, for pickers."""

from collections.abc import Collection
from dataclasses import dataclass

from django.db.models import Q

from accounts.models import Account, Membership, Team
from crm import mentioning

MOST = 200  # that a list to choose from holds
OFFERED = 8  # while one types
LONGEST = 80


@dataclass(frozen=True)
class Choice:
    """A member to choose: id and name."""

    pk: int
    name: str


@dataclass(frozen=True)
class Offer:
    """Somebody to mention: what the list shows, and what the text gets."""

    name: str
    about: str
    token: str
    is_team: bool = False


def members(account: Account, *, words: str = "", chosen: Collection[int] = ()) -> tuple[list[Choice], bool]:
    """Active members by name, and whether there are more than are offered. Those chosen are always among them."""
    found = Membership.objects.active().of(account).filter(named(words)).select_related("user").order_by("pk")
    rows = list(found[: MOST + 1])
    is_more = len(rows) > MOST
    choices = {one.pk: Choice(one.pk, one.name) for one in rows[:MOST]}
    if missing := set(chosen) - set(choices):
        for one in Membership.objects.of(account).filter(pk__in=missing).select_related("user"):
            choices[one.pk] = Choice(one.pk, one.name)
    return sorted(choices.values(), key=lambda one: one.name.casefold()), is_more


def to_mention(account: Account, words: str) -> list[Offer]:
    """People whose name or address, and teams whose name, begins with or holds these letters. Two queries."""
    words = words.replace("\0", "").strip()[:LONGEST]
    people = Membership.objects.active().of(account).filter(named(words)).select_related("user").order_by("pk")
    teams = Team.objects.filter(account=account, name__icontains=words).order_by("name")
    offers = [Offer(one.name, one.email, mentioning.token(one)) for one in people[: 3 * OFFERED]]
    offers += [Offer(team.name, "", mentioning.token(team), is_team=True) for team in teams[:OFFERED]]
    begins = words.casefold()
    offers.sort(key=lambda one: (not one.name.casefold().startswith(begins), one.name.casefold()))
    return offers[:OFFERED]


def named(words: str) -> Q:
    """Members whose name or address holds these letters; all of them for none."""
    words = words.replace("\0", "").strip()[:LONGEST]
    return Q(user__name__icontains=words) | Q(user__email__icontains=words) if words else Q()
