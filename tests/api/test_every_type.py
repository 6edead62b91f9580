"""Every notification type, from the events API to whoever hears: its words, its link, its channels, the preferences.

What the product itself causes is tested where it happens. Types whose part of the product is not built come in here.
"""

from collections.abc import Callable
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from accounts.models import Membership, Role, Seat
from notifications import channels, delivering, fanout, preferences, rendering, types
from notifications.models import Delivery
from notifications.types.base import NotificationType
from tests import factories
from tests.api.conftest import fields_of

EVERY_TYPE = [
    pytest.param(kind, id=kind.key, marks=[pytest.mark.req(number) for number in kind.requirements])
    for kind in types.TYPES.values()
]
HERE = ("bell", "email")


@pytest.fixture
def people(account: Any) -> Callable[[NotificationType], list[Membership]]:
    """Two members for whom a type exists, and one for whom it does not, if there are such."""

    def run(kind: NotificationType) -> list[Membership]:
        facts = {
            "role": kind.for_role or Role.MEMBER,
            "seat": kind.for_seat or Seat.FREE,
            "permissions": [kind.needs_permission] if kind.needs_permission else [],
        }
        others = factories.members(account, 1, seat=Seat.FREE)
        return [*factories.members(account, 2, **facts), *(one for one in others if not preferences.is_for(kind, one))]

    return run


def choose(member: Membership, kind: NotificationType, *, on: bool) -> None:
    cells = {(kind.key, key): on for key in HERE if key in kind.optional}
    preferences.choose(member, cells)


def tell(program: Any, kind: NotificationType, people: list[Membership]) -> dict[int, int]:
    """Send it in, tell it and carry it. The event by member: one for all, or each their own where only one may hear."""
    told = {}
    for group in [[one] for one in people] if kind.for_one else [people]:
        body = {"type": kind.key, "data": dict(kind.example), "audience": {"members": [one.pk for one in group]}}
        said = program.post("events/", body)
        assert said.status_code == 202, said.content
        told.update(dict.fromkeys([one.pk for one in group], said.json()["id"]))
    fanout.run_due()
    Delivery.objects.filter(channel="email").update(due_at=timezone.now())  # what is gathered first has waited
    delivering.run_due(channels.CARRIER["email"])
    return told


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_goes_the_whole_way(kind: NotificationType, program: Any, people: Any) -> None:
    wanting, declining, *strangers = people(kind)
    choose(wanting, kind, on=True)
    choose(declining, kind, on=False)

    told = tell(program, kind, [wanting, declining, *strangers])

    words = rendering.render(kind.key, kind.example, language="en")
    mails = {letter.to[0]: letter for letter in mail.outbox}
    for member, hears in ((wanting, kind.offered), (declining, kind.required), *((one, ()) for one in strangers)):
        lines = program.get(f"notifications/?member={member.pk}").json()["results"]
        assert [(line["title"], line["url"]) for line in lines] == [(words.title, words.url)] * ("bell" in hears)
        letter = mails.pop(member.email, None)
        assert (letter is not None) == ("email" in hears)
        if letter is not None:
            assert (letter.subject, words.url in letter.body) == (words.title, True)

        said = program.get(f"notifications/{told[member.pk]}/why/?member={member.pk}").json()
        verdicts = {one["channel"]: one for one in said["verdicts"] if one["channel"] in HERE}
        assert {key for key, one in verdicts.items() if one["on"]} == set(HERE) & set(hears)
        if member is declining:
            assert {verdicts[key]["layer"] for key in HERE if key in kind.optional} <= {"own"}
            assert {verdicts[key]["layer"] for key in HERE if key in kind.required} <= {"required"}
        if member in strangers:
            assert said["held"] == "not_for"
    assert not mails


@pytest.mark.req("N-119")
def test_payments_reach_super_admins_only_whoever_the_caller_names(
    program: Any, alice: Any, bob: Any, fan_out: Any
) -> None:
    kind = types.payments.FAILED
    said = program.post("events/", {"type": kind.key, "data": dict(kind.example), "audience": {"everyone": True}})

    fan_out()
    outcome = program.get(f"events/{said.json()['id']}/").json()["outcome"]
    assert outcome["held"] == {"not_for": 1}
    assert outcome["channels"]["bell"]["on"] == 1
    assert program.get(f"notifications/?member={alice.pk}").json()["results"]


@pytest.mark.req("N-129")
@pytest.mark.parametrize(
    "audience",
    [
        {"everyone": True},
        {"members": ["alice@example.com", "bob@example.com"]},
        {"members": ["bob@example.com"], "permissions": ["forms"]},
        {"members": ["bob@example.com"], "teams": [0]},
        {"primary_teams": [0]},
    ],
    ids=["everyone", "two members", "a permission too", "a team too", "a team alone"],
)
def test_a_quote_is_told_to_one_member_or_refused(
    audience: dict[str, Any], program: Any, alice: Any, bob: Any, team: Any
) -> None:
    kind = types.quotes.PAID
    for name in {"teams", "primary_teams"} & audience.keys():
        audience[name] = [team.pk]
    body = {"type": kind.key, "data": dict(kind.example), "audience": audience}

    one, batch = program.post("events/", body), program.post("events/batch/", {"events": [body]})

    words = "This is told to one person only. Name one member, and nobody else."
    assert (one.status_code, fields_of(one)) == (422, {"audience": words})
    assert fields_of(batch) == {"events[0].audience": words}
    assert program.post("events/", body | {"audience": {"members": ["bob@example.com"]}}).status_code == 202
