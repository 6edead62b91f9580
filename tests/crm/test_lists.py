"""Lists: filled in the background a piece at a time, right whatever changes, told once, each seeing what they may."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Account
from crm import defining, happenings, listeners, merging, permissions, records, schema
from crm.filtering import Condition
from crm.lists import adding, following, making, processing, rows, seeing
from crm.lists.making import InvalidList, MayNotEditList
from crm.models import CustomProperty, Happening, ListMember, ListState, Record, RecordList, Webhook, What
from tests.crm.conftest import at_once

OSLO = [Condition("city", "is", "Oslo")]


@pytest.fixture
def kind(account):
    return schema.kind_of(account, "contacts")


@pytest.fixture
def people(make):
    return [make("contacts", first_name=f"Mia {i}", city="Oslo" if i % 2 else "Bergen") for i in range(6)]


@pytest.fixture
def filtered(account, kind, alice):
    """A filtered list, not processed yet."""

    def run(name="In Oslo", conditions=OSLO, by=alice):
        return making.create(account, kind, name=name, is_filtered=True, conditions=conditions, by=by)

    return run


@pytest.fixture
def static(account, kind, bob):
    return making.create(account, kind, name="For the fair", is_filtered=False, by=bob)


def process():
    while processing.step():
        pass


def follow():
    while happenings.step():
        pass


def titles(one):
    return sorted(seeing.within(one).values_list("title", flat=True))


def fresh(one):
    return RecordList.objects.get(pk=one.pk)


def is_counted_right(one):
    return fresh(one).members == ListMember.objects.filter(list=one, is_live=True).count()


def test_a_filtered_list_is_filled_a_piece_at_a_time(filtered, people, monkeypatch):
    monkeypatch.setattr(processing, "AT_ONCE", 2)
    one = filtered()
    assert fresh(one).state == ListState.PROCESSING

    assert processing.step()
    assert (fresh(one).looked_at, fresh(one).to_look_at) == (2, 6)
    process()

    assert titles(one) == ["Mia 1 Lind", "Mia 3 Lind", "Mia 5 Lind"]
    assert fresh(one).state == ListState.READY
    assert fresh(one).members == 3


@pytest.mark.req("N-111")
def test_who_asked_hears_once_for_each_processing_that_a_list_is_ready(filtered, kind, people, alice, bob, told):
    one = filtered(by=bob)
    process()
    process()
    assert told("lists.ready") == [([bob.pk], {"list": "In Oslo", "members": 3, "url": f"/1001/lists/{one.pk}/"})]

    making.change(one, kind, conditions=[Condition("city", "is", "Bergen")], by=alice)
    process()

    assert [members for members, _data in told("lists.ready")] == [[bob.pk], [alice.pk]]


@pytest.mark.req("N-111")
def test_the_number_that_somebody_is_told_is_of_the_records_they_may_see(filtered, people, alice, bob, told):
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    records.assign(people[1], to=bob, by=alice)

    filtered(by=bob)
    process()

    assert told("lists.ready")[0][1]["members"] == 1


def test_a_list_that_is_changed_is_never_empty_in_between(filtered, kind, people, alice, monkeypatch):
    monkeypatch.setattr(processing, "AT_ONCE", 2)
    one = filtered(conditions=[Condition("city", "is_filled")])
    process()
    making.change(one, kind, conditions=OSLO, by=alice)

    seen = [len(titles(one))]
    while processing.step():
        seen.append(len(titles(one)))

    assert seen == [6, 5, 4, 3, 3]
    assert is_counted_right(one)


def test_the_same_conditions_again_are_not_processed_again(filtered, kind, people, alice):
    one = filtered()
    process()

    making.change(one, kind, name="Oslo", conditions=OSLO, by=alice)

    assert (fresh(one).state, fresh(one).round, fresh(one).name) == (ListState.READY, 1, "Oslo")


def test_records_join_and_leave_when_they_change(filtered, people, make, alice):
    one = filtered()
    process()
    records.change(people[0], {"city": "Oslo"}, by=alice)
    records.change(people[1], {"city": "Bergen"}, by=alice)
    records.delete(people[3], by=alice)
    make("contacts", first_name="New", city="Oslo")
    follow()
    assert titles(one) == ["Mia 0 Lind", "Mia 5 Lind", "New Lind"]

    records.restore(people[3], by=alice)
    merging.merge(people[0], people[5], by=alice)
    follow()

    assert titles(one) == ["Mia 0 Lind", "Mia 3 Lind", "New Lind"]
    assert is_counted_right(one)


def test_a_change_of_something_else_judges_nothing(filtered, people, alice, django_assert_max_num_queries):
    filtered()
    process()
    records.change(people[0], {"phone": "+47 22 00 00 00"}, by=alice)
    batch = list(Happening.objects.all())

    with django_assert_max_num_queries(2):
        following.heard(alice.account, batch)


def test_following_costs_the_lists_not_the_records(filtered, make, alice, django_assert_max_num_queries):
    filtered()
    filtered("Also")
    process()
    for i in range(20):
        make("contacts", first_name=f"Mia {i}", city="Oslo")
    batch = list(Happening.objects.all())

    with django_assert_max_num_queries(20):
        following.heard(alice.account, batch)
    assert ListMember.objects.count() == 40


class Awaiting:
    """One who follows contacts, and awaits who joins certain lists."""

    def __init__(self, *lists):
        self.lists = lists

    def listens(self, account_id, kind):
        return Account.objects.filter(pk=account_id)

    def listens_to_list(self, account_id, list_id):
        return Account.objects.filter(pk=account_id) if list_id in self.lists else Account.objects.none()

    def heard(self, account, batch):
        pass


def joined():
    return list(Happening.objects.filter(what=What.JOINED).order_by("pk").values_list("record", "lines", "depth"))


def test_who_joins_a_list_is_noted_only_if_somebody_awaits_it(filtered, people, make, alice, monkeypatch):
    first, second = filtered(), filtered("Also in Oslo")
    monkeypatch.setattr(listeners, "ALL", (following, Awaiting(second.pk)))
    process()

    assert joined() == [(people[i].pk, {"list": [None, second.pk]}, 0) for i in (1, 3, 5)]

    monkeypatch.setattr(listeners, "ALL", (following, Awaiting(first.pk)))
    with happenings.caused_by_workflow(3):
        records.change(people[0], {"city": "Oslo"}, by=alice)
    happenings.step()

    assert joined() == [(people[0].pk, {"list": [None, first.pk]}, 3)]


@pytest.mark.parametrize(("whats", "number"), [(["changed"], 0), (["joined"], 3), ([], 3)])
def test_an_endpoint_that_does_not_ask_who_joins_lists_lets_nothing_be_noted(filtered, people, account, whats, number):
    Webhook.objects.create(account=account, url="https://example.com/", kinds=["contacts"], whats=whats)
    filtered()
    process()

    assert len(joined()) == number


def test_a_condition_that_makes_no_sense_any_more_fails_the_list_and_no_other(account, filtered, people, alice):
    defining.define_property(account, "contacts", key="shoe_size", label="Shoe size", type="number", by=alice)
    kind = schema.kind_of(account, "contacts")
    broken = making.create(
        account, kind, name="Big", is_filtered=True, conditions=[Condition("shoe_size", "at_least", 44)], by=alice
    )
    good = filtered()
    CustomProperty.objects.update(archived_at=timezone.now())
    process()

    assert fresh(broken).state == ListState.FAILED
    assert "no such property" in fresh(broken).problem
    assert fresh(good).members == 3
    making.change(broken, schema.kind_of(account, "contacts"), conditions=OSLO, by=alice)
    process()
    assert fresh(broken).members == 3


def test_a_property_that_goes_later_fails_the_list_while_following(account, filtered, people, make, alice):
    defining.define_property(account, "contacts", key="shoe_size", label="Shoe size", type="number", by=alice)
    kind = schema.kind_of(account, "contacts")
    given = [Condition("shoe_size", "is_empty")]
    broken = making.create(account, kind, name="Unknown", is_filtered=True, conditions=given, by=alice)
    good = filtered()
    process()
    CustomProperty.objects.update(archived_at=timezone.now())
    make("contacts", city="Oslo", email="new@example.com")
    follow()

    assert fresh(broken).state == ListState.FAILED
    assert fresh(good).members == 4
    assert not Happening.objects.exists()


def test_processing_that_stumbles_is_tried_again_and_gives_up_at_last(filtered, people, monkeypatch):
    one = filtered()
    monkeypatch.setattr(rows, "judge", lambda *args, **more: 1 / 0)
    for _ in range(processing.MOST_ATTEMPTS - 1):
        processing.step()
        assert fresh(one).state == ListState.PROCESSING
    processing.step()

    assert (fresh(one).state, fresh(one).looked_at) == (ListState.FAILED, 0)


def test_accounts_take_turns_however_many_lists_one_has(filtered, next_door, mallory, monkeypatch):
    many = [filtered(f"List {i}") for i in range(5)]
    theirs = making.create(
        next_door, schema.kind_of(next_door, "contacts"), name="Mine", is_filtered=True, conditions=OSLO, by=mallory
    )
    processing.step()
    processing.step()

    assert fresh(theirs).state == ListState.READY
    assert sum(fresh(one).state == ListState.READY for one in many) == 1


def test_lists_of_the_account_next_door_hold_nothing_of_ours(people, next_door, mallory):
    theirs = making.create(
        next_door, schema.kind_of(next_door, "contacts"), name="All", is_filtered=True, conditions=OSLO, by=mallory
    )
    process()

    assert fresh(theirs).members == 0


def test_what_was_written_while_a_list_was_made_is_looked_at_again(filtered, people, make):
    one = filtered()
    process()
    make("contacts", first_name="Late", city="Oslo")
    Happening.objects.all().delete()  # its transaction did not know of the list
    assert processing.look_again() == 0
    RecordList.objects.update(look_again_at=timezone.now() - timedelta(seconds=1))

    assert processing.look_again() == 1
    assert processing.look_again() == 0
    assert "Late Lind" in titles(one)
    assert is_counted_right(one)


@pytest.mark.django_db(transaction=True)
def test_a_record_that_changes_while_its_list_is_processed_is_judged_right(filtered, people, alice, monkeypatch):
    monkeypatch.setattr(processing, "AT_ONCE", 2)
    one = filtered()

    def change():
        for record in people:
            record.refresh_from_db()
            records.change(record, {"city": "Bergen" if record.values["city"] == "Oslo" else "Oslo"}, by=alice)
            happenings.step()

    assert at_once(process, change, process) == [None, None, None]
    follow()
    process()

    assert titles(one) == ["Mia 0 Lind", "Mia 2 Lind", "Mia 4 Lind"]
    assert is_counted_right(one)


def test_a_name_is_there_once_until_its_list_is_deleted(filtered, alice):
    one = filtered()
    with pytest.raises(InvalidList) as refused:
        filtered("  In   Oslo ")
    assert "Choose another one" in refused.value.fields["name"][0]

    making.delete(one, by=alice)
    making.delete(one, by=alice)
    filtered()


def test_a_list_needs_a_name_and_a_filtered_one_conditions_that_make_sense(account, kind, filtered, alice):
    for name in ("", "   ", "x" * 121, "\0"):
        with pytest.raises(InvalidList):
            filtered(name)
    with pytest.raises(InvalidList):
        filtered("Empty", conditions=[])
    with pytest.raises(InvalidList) as refused:
        filtered("", conditions=[*OSLO, Condition("city", "resembles", "Oslo")])
    assert set(refused.value.fields) == {"name", "where[1]"}
    with pytest.raises(InvalidList, match="not saved") as refused:
        filtered("Much", conditions=OSLO * 21)
    assert "At most 20" in refused.value.fields["where"][0]
    assert not RecordList.objects.exists()


def test_deleting_a_list_erases_its_rows_in_the_background_and_no_record(filtered, people, alice, monkeypatch):
    one = filtered()
    process()
    monkeypatch.setattr(processing, "AT_ONCE", 2)
    making.delete(one, by=alice)
    assert seeing.of_record(people[1]) == []
    process()

    assert not RecordList.objects.exists()
    assert not ListMember.objects.exists()
    assert Record.objects.live().count() == 6


def test_only_who_made_a_list_and_super_admins_change_it(static, kind, people, alice, bob, carol):
    with pytest.raises(MayNotEditList):
        making.change(static, kind, name="Mine", by=carol)
    with pytest.raises(MayNotEditList):
        adding.add(static, [people[0].pk], by=carol)
    with pytest.raises(MayNotEditList):
        making.delete(static, by=carol)

    adding.add(static, [people[0].pk], by=bob)
    making.change(static, kind, name="Theirs", by=alice)
    assert fresh(static).members == 1


def test_records_are_put_in_and_taken_out_by_hand_once(static, people, bob, make):
    ids = [one.pk for one in people[:3]]

    assert adding.add(static, ids, by=bob) == 3
    assert adding.add(static, [*ids, people[4].pk], by=bob) == 1
    assert adding.add(static, [make("deals").pk, 999_999_999], by=bob) == 0
    assert adding.remove(static, ids[:2], by=bob) == 2
    assert adding.remove(static, ids[:2], by=bob) == 0
    assert titles(static) == ["Mia 2 Lind", "Mia 4 Lind"]
    assert is_counted_right(static)


def test_nobody_puts_in_or_takes_out_what_they_do_not_see(static, people, alice, bob, mallory):
    adding.add(static, [people[0].pk], by=alice)
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    records.assign(people[1], to=bob, by=alice)

    assert adding.add(static, [one.pk for one in people], by=bob) == 1
    assert adding.remove(static, [one.pk for one in people], by=bob) == 1
    assert titles(static) == ["Mia 0 Lind"]


def test_a_filtered_list_takes_nobody_by_hand(filtered, people, alice):
    with pytest.raises(InvalidList, match="follows from its conditions"):
        adding.add(filtered(), [people[0].pk], by=alice)


def test_what_goes_into_the_bin_keeps_its_place_in_static_lists(static, people, alice, bob):
    adding.add(static, [one.pk for one in people[:2]], by=bob)
    records.delete(people[0], by=alice)
    assert titles(static) == ["Mia 1 Lind"]
    follow()
    assert is_counted_right(static)
    assert fresh(static).members == 1

    records.restore(people[0], by=alice)
    follow()

    assert fresh(static).members == 2
    assert titles(static) == ["Mia 0 Lind", "Mia 1 Lind"]


def test_who_is_merged_leaves_their_place_to_the_other(static, people, alice, bob):
    adding.add(static, [one.pk for one in people[:2]], by=bob)
    merging.merge(people[2], people[0], by=alice)
    merging.merge(people[2], people[1], by=alice)
    follow()

    assert titles(static) == ["Mia 2 Lind"]
    assert fresh(static).members == 1
    assert ListMember.objects.count() == 1


def test_each_is_told_the_number_of_the_records_they_may_see(filtered, people, alice, bob, monkeypatch):
    one = filtered()
    process()
    permissions.set_reach(bob, "contacts", sees="own", edits="own", by=alice)
    records.assign(people[1], to=bob, by=alice)
    one = fresh(one)

    assert seeing.counter(alice)(one) == seeing.Count(3)
    assert seeing.counter(bob)(one) == seeing.Count(1)
    assert seeing.would_match(schema.kind_of(alice.account, "contacts"), OSLO, bob).number == 1
    monkeypatch.setattr(seeing, "MOST_COUNTED", 0)
    assert seeing.counter(bob)(one) == seeing.Count(0, is_more=True)


def test_an_account_has_so_many_lists_and_no_more(filtered, monkeypatch):
    monkeypatch.setattr(making, "MOST", 1)
    filtered()
    with pytest.raises(InvalidList, match="at most 1"):
        filtered("Another")


def test_erased_records_leave_no_rows_behind(static, people, bob, alice):
    adding.add(static, [people[0].pk], by=bob)
    records.delete(people[0], by=alice)
    Record.objects.filter(pk=people[0].pk).update(deleted_at=timezone.now() - timedelta(days=91))

    assert records.purge() == 1
    assert not ListMember.objects.exists()
