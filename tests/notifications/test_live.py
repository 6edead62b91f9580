"""Hints: what open tabs are told at once, on whichever process and device."""

import asyncio

import pytest
from allauth.usersessions.models import UserSession
from asgiref.sync import sync_to_async
from django.urls import reverse
from redis import RedisError

from accounts.models import Membership
from notifications import bell, events, fanout, hearing, live, preferences, rendering, types
from notifications.hub import hub
from tests.notifications.test_consumers import Tab, signed_in, talk

KIND = types.TYPES["deals.mentioned"]
pytestmark = pytest.mark.django_db(transaction=True)


def told(*members: Membership) -> events.Event:
    event = events.emit(KIND, audience=list(members), data=dict(KIND.example))
    fanout.run_due()
    return event


def test_every_act_tells_what_became_of_which_notifications(bob: Membership) -> None:
    event = told(bob)
    acts = [
        (lambda: bell.mark_read(bob, [event.pk]), {"read": [event.pk]}, 0),
        (lambda: bell.mark_unread(bob, [event.pk]), {"unread": [event.pk]}, 1),
        (lambda: bell.mark_all_read(bob, up_to=event.pk), {"read_up_to": event.pk}, 0),
        (lambda: bell.archive(bob, [event.pk]), {"read": [event.pk], "archived": [event.pk]}, 0),
        (lambda: bell.unarchive(bob, [event.pk]), {"unarchived": [event.pk]}, 0),
    ]

    async def work(socket: Tab) -> None:
        before = (await socket.heard("state"))["at"]
        for act, marks, unread in acts:
            await sync_to_async(act)()
            said = await socket.heard("state")
            assert (said["marks"], said["unread"]) == (marks, unread)
            assert said["at"] >= before
            before = said["at"]

    talk(signed_in(bob), work)


def test_a_colleague_hears_nothing_of_it(bob: Membership, carol: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(told)(bob)
        await sync_to_async(told)(carol)
        assert (await socket.heard("new"))["unread"] == 1
        assert await socket.receive_nothing()

    talk(signed_in(carol), work)


def test_a_popup_that_is_off_has_no_words(bob: Membership) -> None:
    preferences.choose(bob, {(KIND.key, "popup"): False})

    async def work(socket: Tab) -> None:
        await sync_to_async(told)(bob)
        said = await socket.heard("new")
        assert (said["popup"], said["unread"]) == (None, 1)

    talk(signed_in(bob), work)


def test_popups_speak_the_language_of_who_reads_them(bob: Membership) -> None:
    bob.language = "de"
    bob.save()
    event = events.emit(KIND, audience=[bob], data=dict(KIND.example))

    async def work(socket: Tab) -> None:
        await sync_to_async(fanout.run_due)()
        said = await socket.heard("new")
        assert said["id"] == event.pk
        words = rendering.render(KIND.key, event.data, language="de")
        told = {"title": words.title, "body": words.body, "topic": words.topic, "type": KIND.key}
        assert said["popup"] == told | {"sound": "chime"}

    talk(signed_in(bob), work)


@pytest.mark.req("N-024", "N-025")
def test_a_popup_carries_the_sound_that_its_reader_chose(bob: Membership) -> None:
    hearing.choose(bob, {KIND.key: "ripple"})

    async def work(socket: Tab) -> None:
        await sync_to_async(told)(bob)
        assert (await socket.heard("new"))["popup"]["sound"] == "ripple"
        await sync_to_async(hearing.choose)(bob, {KIND.key: "none"})
        await sync_to_async(told)(bob)
        assert (await socket.heard("new"))["popup"]["sound"] is None

    talk(signed_in(bob), work)


def test_signing_out_ends_the_sockets_of_that_sign_in_at_once(bob: Membership) -> None:
    laptop = signed_in(bob)

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(laptop.post)(reverse("account_logout"))
        assert await socket.closed_with() == 4401

    talk(laptop, work)


def test_signing_out_elsewhere_changes_nothing_here(bob: Membership) -> None:
    laptop, phone = signed_in(bob), signed_in(bob)

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(laptop.post)(reverse("account_logout"))
        assert await socket.receive_nothing()

    talk(phone, work)


def test_a_session_ended_from_the_page_of_sessions_loses_its_sockets(bob: Membership) -> None:
    lost = signed_in(bob)

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(end_all)()
        assert await socket.closed_with() == 4401

    def end_all() -> None:
        session = UserSession.objects.create(
            user=bob.user, session_key=lost.session.session_key, ip="127.0.0.1", user_agent="", data={}
        )
        session.end()

    talk(lost, work)


def test_members_who_lose_their_access_are_let_go_at_once(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(lambda: live.close(members=[bob.pk]))()
        assert await socket.closed_with() == 4404

    talk(signed_in(bob), work)


def test_after_the_hint_channel_was_down_every_tab_is_told_its_state(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(live.client().client_kill_filter)(_type="pubsub")
        said = await socket.heard("state")
        assert said["resync"] is True

    talk(signed_in(bob), work)


def test_an_event_that_nobody_hinted_at_is_found(bob: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("notifications.hub.CHECK", 0.1)
    monkeypatch.setattr(live, "tell_new", lambda *_, **__: None)  # the worker died just before

    async def work(socket: Tab) -> None:
        await socket.heard("state")
        await sync_to_async(told)(bob)
        said = await socket.heard("state")
        assert (said["unread"], said["resync"]) == (1, True)
        assert await socket.receive_nothing(0.5), "once is enough"

    talk(signed_in(bob), work)


def test_what_is_not_understood_hurts_nobody(bob: Membership) -> None:
    async def work(socket: Tab) -> None:
        await socket.heard("state")
        for hint in (b"{", b"[]", b'{"kind": "of tomorrow"}', b'{"kind": "state"}', b'{"kind": "new", "to": 5}'):
            await sync_to_async(live.client().publish)(live.channel(), hint)
        await sync_to_async(told)(bob)
        assert (await socket.heard("new"))["unread"] == 1

    talk(signed_in(bob), work)


def test_a_tab_that_takes_nothing_is_dropped_and_holds_up_nobody() -> None:
    class Sleeping:
        member_id, account_id, session, ended = 7, 1, "", 0
        active_until = 0.0

        async def tell(self, payload: bytes) -> None:
            await asyncio.sleep(3600)

        async def end(self, code: int) -> None:
            self.ended = code

    class Awake(Sleeping):
        heard = b""

        async def tell(self, payload: bytes) -> None:
            self.heard = payload

    async def run() -> None:
        asleep, awake = Sleeping(), Awake()
        hub.sockets[7] = {asleep, awake}
        await hub._tell_state([{"id": 7, "at": 1, "unread": 2, "newest": 3}], {})
        assert awake.heard
        assert hub.sockets.pop(7) == {awake}
        while not asleep.ended:
            await asyncio.sleep(0)
        assert asleep.ended == 1013

    asyncio.run(run())


def test_without_redis_nothing_is_told_and_nothing_fails(bob: Membership, monkeypatch: pytest.MonkeyPatch) -> None:
    def down() -> None:
        raise RedisError

    monkeypatch.setattr(live, "client", down)
    event = told(bob)

    assert bell.mark_read(bob, [event.pk]) == 1
    live.close(members=[bob.pk], session_key="k")


def test_a_session_is_never_named_by_its_key() -> None:
    assert "secret" not in live.session_digest("secret")
    assert live.session_digest(None) == live.session_digest("") == ""
