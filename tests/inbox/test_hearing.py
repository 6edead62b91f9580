"""Who hears of a conversation: the table of cases, and what follows from it."""

from dataclasses import replace

import pytest

from inbox.hearing import CONCERNED, Access, Hearing, News, Person, decided, hearers, judged
from notifications.types import conversations as types

BOB, CAROL = 7, 8
SUPPORT, SALES = 3, 4
TO_BOB = Access(members=frozenset({BOB}))
TO_SUPPORT = Access(teams=frozenset({SUPPORT}))
EVERYONE = Access(everyone=True)

bob = Person(BOB)
primary = Person(BOB, primary_team=SUPPORT)
extra = Person(BOB, primary_team=SALES, extra_teams=frozenset({SUPPORT}))


def assigned(to: int | None = BOB, **more: object) -> News:
    return replace(News(types.ASSIGNED, TO_BOB, by=CAROL, assignee=to), **more)


def unassigned(access: Access, **more: object) -> News:
    return replace(News(types.UNASSIGNED_CREATED, access), **more)


CASES = [
    pytest.param(assigned(), bob, Hearing.TOLD, id="assigned to you"),
    pytest.param(assigned(type=types.REASSIGNED), bob, Hearing.TOLD, id="passed to you"),
    pytest.param(assigned(), Person(CAROL), Hearing.NOT_CONCERNED, id="assigned to somebody else"),
    pytest.param(assigned(by=BOB), bob, Hearing.SELF, id="assigned to yourself"),
    pytest.param(assigned(by=None), bob, Hearing.TOLD, id="assigned by a rule"),
    pytest.param(assigned(), replace(bob, is_active=False), Hearing.INACTIVE, id="deactivated"),
    pytest.param(assigned(), replace(bob, has_opened=False), Hearing.NEVER_OPENED, id="never opened the inbox"),
    pytest.param(assigned(access=Access()), bob, Hearing.LOST_ACCESS, id="lost access"),
    pytest.param(assigned(access=TO_SUPPORT), extra, Hearing.TOLD, id="assigned, in it through an extra team"),
    pytest.param(assigned(type=types.REPLIED, by=None), bob, Hearing.TOLD, id="reply"),
    pytest.param(assigned(type=types.REPLIED, by=BOB), bob, Hearing.SELF, id="your own reply"),
    pytest.param(assigned(CAROL, type=types.REPLIED, by=None), bob, Hearing.NOT_CONCERNED, id="reply to another's"),
    pytest.param(assigned(None, type=types.REPLIED, by=None), bob, Hearing.TOLD, id="reply, assigned to nobody"),
    pytest.param(
        assigned(None, type=types.REPLIED, by=None, access=TO_SUPPORT),
        extra,
        Hearing.NOT_PRIMARY,
        id="reply, assigned to nobody, in it through an extra team",
    ),
    pytest.param(unassigned(EVERYONE), bob, Hearing.TOLD, id="new, open to everyone"),
    pytest.param(unassigned(TO_BOB), bob, Hearing.TOLD, id="new, open to you in person"),
    pytest.param(unassigned(TO_BOB), Person(CAROL), Hearing.LOST_ACCESS, id="new, not open to you"),
    pytest.param(unassigned(TO_SUPPORT), primary, Hearing.TOLD, id="new, open to your primary team"),
    pytest.param(unassigned(TO_SUPPORT), extra, Hearing.NOT_PRIMARY, id="new, open to an extra team of yours"),
    pytest.param(
        unassigned(Access(members=frozenset({BOB}), teams=frozenset({SUPPORT}))),
        extra,
        Hearing.TOLD,
        id="new, open to an extra team of yours and to you in person",
    ),
    pytest.param(unassigned(EVERYONE), extra, Hearing.TOLD, id="new, open to everyone, teams do not matter"),
    pytest.param(
        unassigned(EVERYONE), replace(bob, has_opened=False), Hearing.NEVER_OPENED, id="new, never opened the inbox"
    ),
    pytest.param(unassigned(EVERYONE, assignee=CAROL), bob, Hearing.NOT_CONCERNED, id="taken meanwhile"),
    pytest.param(unassigned(EVERYONE, by=BOB), bob, Hearing.SELF, id="you started it yourself"),
    pytest.param(
        News(types.MENTIONED, TO_SUPPORT, by=CAROL, mentioned=frozenset({BOB})),
        extra,
        Hearing.TOLD,
        id="mentioned, in it through an extra team",
    ),
    pytest.param(News(types.MENTIONED, TO_BOB, by=CAROL), bob, Hearing.NOT_CONCERNED, id="not mentioned"),
    pytest.param(
        News(types.MENTIONED, TO_BOB, by=BOB, mentioned=frozenset({BOB})), bob, Hearing.SELF, id="mentioned yourself"
    ),
]


@pytest.mark.req("N-054", "N-055", "N-056", "N-057", "N-058", "N-059", "N-060", "N-061", "N-084")
@pytest.mark.parametrize(("news", "person", "hearing"), CASES)
def test_who_hears_of_a_conversation(news: News, person: Person, hearing: Hearing) -> None:
    assert judged(news, person) is hearing


@pytest.mark.req("N-054")
def test_every_kind_of_news_says_whom_it_concerns() -> None:
    assert {kind.key for kind in CONCERNED} == types.TOPIC.types.keys()


@pytest.mark.req("N-060")
@pytest.mark.parametrize("kind", CONCERNED, ids=str)
def test_whoever_never_opened_the_inbox_hears_nothing_whatever_it_is(kind: object) -> None:
    news = News(kind, EVERYONE, mentioned=frozenset({BOB}))
    for assignee in (None, BOB):
        assert hearers(replace(news, assignee=assignee), [replace(primary, has_opened=False)]) == []


@pytest.mark.req("N-061")
def test_the_audience_is_who_is_left_and_the_others_have_a_reason() -> None:
    dora = Person(9, primary_team=SUPPORT)
    news = unassigned(TO_SUPPORT)

    assert hearers(news, [extra, dora]) == [9]
    assert decided(news, [extra, dora]) == {BOB: Hearing.NOT_PRIMARY, 9: Hearing.TOLD}
