"""The admin of notifications: grids, review, apply, undo; deliveries; events."""

import html
import re
from datetime import UTC, datetime

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Role
from accounts.plans import Plan
from notifications import defaults, events, preferences, profiles, types
from notifications.admin import deliveries
from notifications.defaults import Change
from notifications.models import AccountDefault, Delivery, DeliveryStatus, Event, Lock, PreferenceChange, Profile
from notifications.resolution import Layer
from tests import factories

STAGE = "deals.stage_changed/email"
CELL = ("deals.stage_changed", "email")
DEFAULTS = "/admin/notifications/accountdefault/"
LOCKS = "/admin/notifications/lock/add/"


@pytest.fixture
def as_alice(alice):
    return signed_in(alice)


def signed_in(member):
    client = Client()
    client.force_login(member.user if hasattr(member, "user") else member)
    return client


@pytest.fixture
def as_operator(db):
    return signed_in(factories.user("olga", is_superuser=True))


def words(answer):
    """What a page says, without its tags."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.content.decode())).split())


def is_on(member):
    (found,) = [c for c in preferences.standing(member).cells(types.TYPES[CELL[0]]) if c.channel.key == "email"]
    return found.is_on


def apply(account, layer, wanted, by, **given):
    return defaults.apply(account, Change(layer=layer, cells={CELL: wanted}, **given), by=by)


@pytest.mark.req("N-003")
def test_the_grid_is_edited_reviewed_and_applied(as_alice, alice, bob, carol):
    preferences.choose(carol, {CELL: True})
    page = as_alice.get(DEFAULTS)
    assert f'name="cell:{STAGE}"' in page.content.decode()

    review = as_alice.post(DEFAULTS, {"shown": "", f"cell:{STAGE}": "off", "_review": "1"})
    text = words(review)
    assert "2 members, 2 cells" in text
    assert "1 member has chosen otherwise and keeps it." in text
    assert "A deal you own or follow moves to another stage" in text
    assert not AccountDefault.objects.exists()

    done = as_alice.post(DEFAULTS, posted(review) | {"_apply": "1"}, follow=True)
    assert "Applied: 2 members, 2 settings changed" in words(done)
    assert not is_on(bob)
    assert is_on(carol)


def posted(review):
    """The hidden fields of a page, as the browser would post them."""
    found = re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', review.content.decode())
    return {name: html.unescape(value) for name, value in found if name != "csrfmiddlewaretoken"}


def test_back_keeps_what_was_asked(as_alice, alice):
    review = as_alice.post(DEFAULTS, {"shown": "", f"cell:{STAGE}": "off", "_review": "1"})
    back = as_alice.post(DEFAULTS, posted(review) | {"_back": "1"}).content.decode()
    assert re.search(rf'name="cell:{re.escape(STAGE)}" value="off" checked', back)
    assert not AccountDefault.objects.exists()


def test_only_what_was_shown_can_change(as_alice, account, alice):
    """A page opened before somebody else's change does not take that change back."""
    page = posted(as_alice.get(DEFAULTS))
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={("deals.stage_changed", "bell"): False}), by=alice)
    as_alice.post(DEFAULTS, page | {"cell:deals.stage_changed/bell": "", f"cell:{STAGE}": "off", "_apply": "1"})
    row = AccountDefault.objects.get()
    assert (row.chosen, row.on) == (5, 0)


def test_nothing_changed_is_said(as_alice, alice):
    page = as_alice.post(DEFAULTS, {"shown": "", f"cell:{STAGE}": "", "_review": "1"})
    assert "You changed nothing" in words(page)


def test_another_plan_shows_the_grid_disabled_and_refuses(as_alice, account, alice):
    account.plan = Plan.PROFESSIONAL
    account.save()
    page = as_alice.get(DEFAULTS)
    assert "available on Enterprise" in words(page)
    assert "Review changes" not in words(page)
    refused = as_alice.post(DEFAULTS, {"shown": "", f"cell:{STAGE}": "off", "_apply": "1"})
    assert "available on Enterprise" in words(refused)
    assert not AccountDefault.objects.exists()


def test_another_plan_shows_a_new_profile_disabled_and_refuses_it(as_alice, account):
    account.plan = Plan.PROFESSIONAL
    account.save()
    link = "/admin/notifications/profile/add/"
    page = as_alice.get(link)
    assert "available on Enterprise" in words(page)
    shown = re.findall(
        r"<(?:input(?! type=.hidden)|select)[^>]*>", page.content.decode().partition('id="profile_form"')[2]
    )
    assert len(shown) == 5  # its four fields, and Save
    assert [one for one in shown if "disabled" not in one] == []

    as_alice.post(link, {"name": "Members", "whom": "role:member"})
    assert not Profile.objects.exists()


def test_a_lock_needs_a_reason_and_shows_what_members_read(as_alice, account, alice, bob):
    given = {"shown": "", f"cell:{STAGE}": "off", "_review": "1", "ends_at": "2031-06-30T18:00"}
    refused = as_alice.post(LOCKS, given)
    assert "Write the reason" in words(refused)
    assert 'value="2031-06-30T18:00"' in refused.content.decode()

    review = as_alice.post(LOCKS, given | {"reason": "Quiet <b>please</b>"})
    assert "Quiet <b>please</b>" in words(review)
    as_alice.post(LOCKS, posted(review) | {"_apply": "1"})
    lock = Lock.objects.get()
    assert (lock.is_on, lock.reason, lock.locked_by) == (False, "Quiet <b>please</b>", alice)
    assert not is_on(bob)

    assert "A deal you own or follow" in words(as_alice.get("/admin/notifications/lock/"))
    assert "locked off" in words(as_alice.get(DEFAULTS))
    as_alice.post("/admin/notifications/lock/", {"action": "lift", "_selected_action": [lock.pk]})
    assert is_on(bob)


def test_an_end_that_is_no_time_is_refused(as_alice, alice):
    for odd in ("soon", "2031-13-45T99:00", "2001-01-01T10:00", "9999-12-31T23:59", "9999-12-31T23:59-10:00"):
        page = as_alice.post(LOCKS, {f"cell:{STAGE}": "off", "reason": "x", "ends_at": odd, "_review": "1"})
        assert page.status_code == 200
        assert not Lock.objects.exists()


def test_the_reason_of_a_lock_is_changed(as_alice, account, alice, bob):
    apply(account, Layer.LOCK, False, alice, reason="Before")
    lock = Lock.objects.get()
    link = f"/admin/notifications/lock/{lock.pk}/change/"
    as_alice.post(link, {"reason": "After", "ends_at_0": "2031-01-01", "ends_at_1": "10:00"})
    assert Lock.objects.get().reason == "After"


def test_times_are_shown_and_read_on_the_accounts_clock(as_alice, as_operator, account, next_door, alice):
    account.time_zone = "Asia/Tokyo"
    account.save()
    ends_at = datetime(2031, 6, 30, 9, tzinfo=UTC)  # 18:00 in Tokyo
    change = apply(account, Layer.LOCK, False, alice, reason="Audit", ends_at=ends_at)
    PreferenceChange.objects.update(made_at=datetime(2027, 1, 5, 20, 7, tzinfo=UTC))
    lock = Lock.objects.get()
    link = f"/admin/notifications/lock/{lock.pk}/change/"
    for client in (as_alice, as_operator):
        page = client.get(link).content.decode()
        assert 'value="18:00:00"' in page
        assert "clock (Asia/Tokyo)" in page
        assert "5:07" in words(client.get(f"/admin/notifications/preferencechange/{change.pk}/change/"))
    assert "6 p.m." in words(as_alice.get("/admin/notifications/lock/"))
    assert "5:07" in words(as_alice.get("/admin/notifications/preferencechange/"))
    assert "8:07" in words(as_operator.get("/admin/notifications/preferencechange/"))  # of many accounts: UTC

    as_alice.post(link, {"reason": "Still", "ends_at_0": "2031-06-30", "ends_at_1": "18:00:00"})
    assert (Lock.objects.get().reason, Lock.objects.get().ends_at) == ("Still", ends_at)


def test_a_lock_that_ends_with_the_calendar_can_be_listed_and_changed(as_alice, account, alice):
    account.time_zone = "Asia/Tokyo"
    account.save()
    end = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
    lock = Lock.objects.create(account=account, type=CELL[0], channel=CELL[1], reason="x", ends_at=end)

    for path in ("/admin/notifications/lock/", f"/admin/notifications/lock/{lock.pk}/change/"):
        assert "9999" in as_alice.get(path).content.decode()


def test_an_end_too_far_away_is_refused_beside_its_field(as_alice, account, alice):
    apply(account, Layer.LOCK, False, alice, reason="Before")
    page = as_alice.post(
        f"/admin/notifications/lock/{Lock.objects.get().pk}/change/",
        {"reason": "After", "ends_at_0": "9999-12-31", "ends_at_1": "23:59"},
    )
    assert "within the next ten years" in words(page)
    assert Lock.objects.get().ends_at is None


def test_a_profile_is_made_filled_moved_and_removed(as_alice, account, alice, bob, team):
    add = "/admin/notifications/profile/add/"
    made = as_alice.post(add, {"name": "Sellers", "whom": f"team:{team.pk}"})
    profile = Profile.objects.get()
    assert made.url == f"/admin/notifications/profile/{profile.pk}/answers/"
    as_alice.post(made.url, {"shown": "", f"cell:{STAGE}": "off", "_apply": "1"})
    assert not is_on(bob)

    as_alice.post(add, {"name": "Members", "whom": "role:member", "copy_of": profile.pk})
    second = Profile.objects.get(name="Members")
    as_alice.post(
        f"/admin/notifications/profile/{second.pk}/answers/",
        {"shown": f"{STAGE}=off", f"cell:{STAGE}": "on", "_apply": "1"},
    )
    as_alice.post(f"/admin/notifications/profile/{second.pk}/change/", {"name": "All members", "place": "1"})
    second.refresh_from_db()
    assert (second.name, second.position) == ("All members", 0)
    assert is_on(bob)

    link = f"/admin/notifications/profile/{second.pk}/delete/"
    assert "1 member, 1 cell" in words(as_alice.get(link))
    assert "deleted-objects" not in as_alice.get(link).content.decode()  # it would list every answer
    as_alice.post(link, {"post": "yes"})
    assert not is_on(bob)
    assert "1 notification" in words(as_alice.get("/admin/notifications/profile/"))


def test_a_team_with_a_profile_stays_until_the_profile_is_removed(as_alice, account, alice, bob, team):
    made = profiles.create(account, name="Sellers", team=team, by=alice)
    link = f"/admin/accounts/team/{team.pk}/delete/"
    assert "permission to delete the following types of objects" in words(as_alice.get(link))
    as_alice.post(link, {"post": "yes"})
    assert Profile.objects.filter(pk=made.profile.pk).exists()
    profiles.delete(made.profile, by=alice)
    as_alice.post(link, {"post": "yes"})
    bob.refresh_from_db()
    assert bob.primary_team is None


def test_a_change_is_undone_from_the_log(as_alice, account, alice, bob):
    change = apply(account, Layer.DEFAULT, False, alice)
    link = f"/admin/notifications/preferencechange/{change.pk}/"
    page = words(as_alice.get(link + "change/"))
    assert "no answer off" in page
    assert as_alice.get(link + "undo/").status_code == 405

    done = as_alice.post(link + "undo/", follow=True)
    assert "Undone: 2 members, 2 settings changed back." in words(done)
    assert is_on(bob)
    again = as_alice.post(link + "undo/", follow=True)
    assert "This was undone already." in words(again)
    assert "undone" in words(as_alice.get("/admin/notifications/preferencechange/"))


@pytest.fixture
def theirs(next_door, mallory, fan_out):
    """Something of every kind, next door."""
    made = profiles.create(next_door, name="Secret profile", role=Role.MEMBER, by=mallory)
    lock = apply(next_door, Layer.LOCK, True, mallory, reason="Secret reason")
    kind = types.TYPES["deals.stage_changed"]
    event = events.emit(
        kind, audience=[mallory], data={**kind.example, "deal": "Secret deal"}, account=next_door, by=None
    )
    fan_out()
    delivery = Delivery.objects.create(event=event, member=mallory, channel="email", status="failed", error="Secret")
    return [made.profile, Lock.objects.get(), lock, event, delivery]


def test_nothing_of_next_door_shows(as_alice, alice, theirs, next_door, mallory):
    for row in theirs:
        name = f"notifications_{row._meta.model_name}"
        listed = as_alice.get(reverse(f"admin:{name}_changelist")).content.decode()
        assert "Secret" not in listed
        assert mallory.email not in listed
        for page in ("change", "history", "delete"):
            foreign = as_alice.get(reverse(f"admin:{name}_{page}", args=[row.pk]))
            missing = as_alice.get(reverse(f"admin:{name}_{page}", args=[999_999]))
            assert foreign.status_code == missing.status_code in (403, 404), (row, page)


def test_nothing_of_next_door_can_be_done(as_alice, alice, theirs, next_door):
    profile, _lock, change, _event, delivery = theirs
    before = PreferenceChange.objects.count()
    for path in (
        f"/admin/notifications/profile/{profile.pk}/answers/",
        f"/admin/notifications/preferencechange/{change.pk}/undo/",
        f"/admin/notifications/delivery/{delivery.pk}/retry/",
        f"{DEFAULTS}?account={next_door.pk}",
        f"{LOCKS}?account={next_door.pk}",
    ):
        assert as_alice.post(path, {f"cell:{STAGE}": "off", "_apply": "1"}).status_code == 404
    as_alice.post("/admin/notifications/delivery/", {"action": "retry", "_selected_action": [delivery.pk]})
    as_alice.post("/admin/notifications/lock/", {"action": "lift", "_selected_action": [Lock.objects.get().pk]})
    delivery.refresh_from_db()
    assert delivery.status == "failed"
    assert Lock.objects.exists()
    assert PreferenceChange.objects.count() == before


def test_the_operator_chooses_the_account_and_acts_without_membership(as_operator, account, next_door, alice, bob):
    assert "Harbour Coffee" in words(as_operator.get(DEFAULTS))
    as_operator.post(f"{DEFAULTS}?account={account.pk}", {"shown": "", f"cell:{STAGE}": "off", "_apply": "1"})
    assert not is_on(bob)
    assert PreferenceChange.objects.get().made_by is None


def test_a_failed_delivery_goes_again(as_alice, alice, bob, fan_out):
    kind = types.TYPES["deals.stage_changed"]
    event = events.emit(kind, audience=[bob], by=alice, data=kind.example)
    fan_out()
    failed = Delivery.objects.create(
        event=event, member=bob, channel="email", status="failed", error="550 No such user", attempts=6
    )
    listed = words(as_alice.get("/admin/notifications/delivery/?status__exact=failed"))
    assert "550 No such user" in listed
    assert bob.email in listed
    assert "550" in words(as_alice.get("/admin/notifications/delivery/?q=bob@"))
    assert "550" not in words(as_alice.get("/admin/notifications/delivery/?q=carol"))
    assert "550" not in words(as_alice.get("/admin/notifications/delivery/?type=tasks.assigned"))

    link = f"/admin/notifications/delivery/{failed.pk}/"
    assert "Send again" in words(as_alice.get(link + "change/"))
    done = as_alice.post(link + "retry/", follow=True)
    assert "1 delivery goes out again now." in words(done)
    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == (DeliveryStatus.DUE, 0)
    refused = as_alice.post(link + "retry/", follow=True)
    assert "Only failed deliveries can be sent again." in words(refused)


def test_a_search_is_not_used_up_by_namesakes_next_door(as_alice, account, next_door, alice, monkeypatch):
    monkeypatch.setattr(deliveries, "MOST_FOUND", 1)
    factories.member(next_door, "bo")
    bob = factories.member(account, "bob")
    event = Event.objects.create(account=account, type=CELL[0], data={"url": "/"}, audience={"everyone": True})
    Delivery.objects.create(event=event, member=bob, channel="email", status="failed", error="550 No such user")

    assert "550" in words(as_alice.get("/admin/notifications/delivery/?q=bo"))


def test_an_event_shows_its_outcome(as_alice, alice, bob, carol, fan_out):
    preferences.choose(carol, {CELL: False})
    kind = types.TYPES["deals.stage_changed"]
    event = events.emit(kind, audience=[alice, bob, carol], by=alice, data=kind.example)
    fan_out()
    event.refresh_from_db()
    page = words(as_alice.get(f"/admin/notifications/event/{event.pk}/change/"))
    assert "E-mail 1" in page
    assert "your own act: 1" in page
    assert "3 members" in page


def test_pages_take_as_many_queries_however_many_rows(as_operator, account, alice, fan_out):
    def queries(path):
        with CaptureQueriesContext(
            connection,
        ) as seen:
            assert as_operator.get(path).status_code == 200
        return len(seen)

    paths = [
        f"{DEFAULTS}?account={account.pk}",
        *(f"/admin/notifications/{name}/" for name in ("delivery", "event", "preferencechange", "lock", "profile")),
    ]
    grow(account, alice, 2)
    few = [queries(path) for path in paths]
    grow(account, alice, 20)
    many = [queries(path) for path in paths]
    assert many == few
    assert max(many) <= 12


def grow(account, alice, count):
    kind = types.TYPES["deals.stage_changed"]
    for member in factories.members(account, count):
        event = events.emit(kind, audience=[member], by=alice, data=kind.example)
        Delivery.objects.create(event=event, member=member, channel="email", status="failed", error="x")
        name = f"P{member.pk}"
        profile = Profile.objects.create(account=account, name=name, role=Role.MEMBER, position=member.pk % 100)
        PreferenceChange.objects.create(
            account=account, layer="default", summary=name, before={}, after={}, made_by=alice, profile=profile
        )
    fresh = [kind for kind in types.TYPES.values() if "email" in kind.optional]
    taken = Lock.objects.count()
    for kind in fresh[taken : taken + count]:
        Lock.objects.create(account=account, type=kind.key, channel="email", reason="x", locked_by=alice)


def test_an_event_of_a_type_that_is_gone_is_still_shown(as_alice, account, alice):
    event = Event.objects.create(account=account, type="gone.type", data={"url": "/"}, audience={"everyone": True})
    for path in ("", f"{event.pk}/change/"):
        assert "gone.type" in words(as_alice.get(f"/admin/notifications/event/{path}"))


@pytest.mark.parametrize("odd", ["abc", "1_2F", "9" * 30, "-1", "0", "%00", "1%27", "é"])
def test_odd_addresses_and_searches_are_answered(as_operator, account, alice, odd):
    names = ("delivery", "event", "preferencechange", "lock", "profile")
    for path in (
        *(f"/admin/notifications/{name}/{odd}/change/" for name in names),
        *(f"/admin/notifications/{name}/?q={odd}&account={odd}&type={odd}&p={odd}&layer={odd}" for name in names),
        f"/admin/notifications/profile/{odd}/answers/",
        f"{DEFAULTS}?account={odd}&q={odd}",
        f"{DEFAULTS}?q={odd}",
        f"/admin/accounts/membership/?q={odd}&account={odd}",
        f"/admin/accounts/membership/{odd}/change/",
        f"/admin/accounts/apikey/?q={odd}&state={odd}",
    ):
        assert as_operator.get(path).status_code in (200, 302, 404), path


@pytest.mark.parametrize(
    "asked",
    [
        "delivery/?type=%00", "delivery/?channel=%00", "delivery/?status=%00", "delivery/?status__exact=a%00b",
        "event/?type=%00", "preferencechange/?q=%00&layer=%00", "redrive/?span=%00", "choicerecord/?what=%00",
    ],
)  # fmt: skip
def test_no_filter_takes_what_no_row_can_hold(as_alice, asked):
    assert as_alice.get(f"/admin/notifications/{asked}").status_code == 404


def test_odd_forms_are_refused_in_words(as_alice, account, alice):
    for name in ("cell:", "cell:/", "cell:nothing/email", "cell:deals.stage_changed/fax", "cell:a b/c", "cell:\0/\0"):
        page = as_alice.post(DEFAULTS, {"shown": "= =x junk", name: "on", "_apply": "1"})
        assert page.status_code == 200, name
        assert "There is no such notification or channel" in words(page)
    page = as_alice.post(LOCKS, {f"cell:{STAGE}": "on", "reason": "a\0b", "_apply": "1"})
    assert page.status_code == 200
    assert not AccountDefault.objects.exists()
    assert not Lock.objects.exists()
