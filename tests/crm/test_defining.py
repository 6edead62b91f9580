"""What a super admin defines: kinds of the account's own, properties of any kind."""

import pytest

from accounts.members import NotSuperAdmin
from crm import defining, permissions, records, schema, settling
from crm.errors import InvalidRecord
from crm.models import Record
from tests.crm.conftest import at_once


def test_a_custom_kind_has_records_with_properties_of_its_own(alice, bob, mallory):
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    for key, kind in (("length", "number"), ("keeper", "user")):
        defining.define_property(alice.account, "berths", key=key, label=key.title(), type=kind, by=alice)

    record = records.create(alice.account, "berths", {"name": "Quay 4", "length": "12.5", "keeper": bob.pk}, by=alice)

    assert records.values_of(record, schema.kind_of(alice.account, "berths")) == {
        "name": "Quay 4",
        "length": 12.5,
        "keeper": bob.pk,
    }
    with pytest.raises(schema.UnknownKind):
        records.create(mallory.account, "berths", {"name": "Quay 4"}, by=mallory)


def test_an_archived_property_is_gone_and_its_key_stays_taken(alice):
    row = defining.define_property(alice.account, "deals", key="size", label="Size", type="number", by=alice)
    defining.archive_property(row, by=alice)

    with pytest.raises(InvalidRecord):
        records.create(alice.account, "deals", {"name": "x", "size": 3}, by=alice)
    with pytest.raises(defining.InvalidDefinition):
        defining.define_property(alice.account, "deals", key="size", label="Size", type="text", by=alice)


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"key": "Size", "label": "Size", "type": "number"}, {"key"}),
        ({"key": "size", "label": " ", "type": "number"}, {"label"}),
        ({"key": "size", "label": "Size", "type": "stage"}, {"type"}),
        ({"key": "size", "label": "Size", "type": "choice"}, {"choices"}),
        ({"key": "amount", "label": "Amount", "type": "number"}, {"key"}),
        ({"key": "x" * 61, "label": "y" * 81, "type": "pony"}, {"key", "label", "type"}),
    ],
)
def test_a_bad_definition_is_refused(alice, given, fields):
    with pytest.raises(defining.InvalidDefinition) as refused:
        defining.define_property(alice.account, "deals", by=alice, **given)

    assert set(refused.value.fields) == fields


def test_only_super_admins_define(alice, bob):
    with pytest.raises(NotSuperAdmin):
        defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=bob)
    with pytest.raises(defining.InvalidDefinition):
        defining.define_kind(alice.account, key="deals", label="Deal", plural="Deals", by=alice)


def test_who_gives_no_key_gets_one_made_from_the_name(alice):
    made = [
        defining.define_property(alice.account, "deals", label=label, type="text", by=alice).key
        for label in ("Größe in m²", "Größe in m²", "2nd owner", "اللون", "🦊")
    ]

    assert made == ["groe_in_m2", "groe_in_m2_2", "nd_owner", "property", "property_2"]
    assert defining.define_kind(alice.account, label="Deal", plural="Deals", by=alice).key == "deals_2"


@pytest.fixture
def tier(alice):
    choices = [("gold", "Gold"), ("silver", "Silver")]
    return defining.define_property(
        alice.account, "companies", key="tier", label="Tier", type="choice", choices=choices, by=alice
    )


def test_a_choice_is_renamed_and_what_records_hold_stays(alice, tier):
    record = records.create(alice.account, "companies", {"name": "Fjordline", "tier": "gold"}, by=alice)

    changed = defining.change_property(tier, choices=[("silver", "Silver"), ("gold", "Best"), ("", "Bronze")], by=alice)

    assert changed.choices == [["silver", "Silver"], ["gold", "Best"], ["bronze", "Bronze"]]
    assert records.values_of(record, schema.kind_of(alice.account, "companies"))["tier"] == "gold"


@pytest.mark.parametrize("is_in_bin", [False, True])
def test_a_choice_that_records_hold_cannot_go(alice, tier, is_in_bin):
    record = records.create(alice.account, "companies", {"name": "Fjordline", "tier": "gold"}, by=alice)
    if is_in_bin:
        records.delete(record, by=alice)

    with pytest.raises(defining.ChoiceInUse) as refused:
        defining.change_property(tier, label="Level", choices=[("silver", "Silver")], by=alice)

    tier.refresh_from_db()
    assert (tier.label, len(tier.choices)) == ("Tier", 2)  # all of it or nothing
    assert (refused.value.choice, refused.value.is_in_bin) == ("gold", is_in_bin)
    assert "“Gold”" in str(refused.value)


def test_two_who_edit_the_choices_at_once_lose_nothing(alice, tier):
    read = ["gold", "silver"]
    defining.change_property(tier, choices=[("silver", "Silver"), ("", "Tin")], instead_of=read, by=alice)

    mine = [("gold", "Gold"), ("silver", "Argent"), ("", "Bronze")]
    changed = defining.change_property(tier, choices=mine, instead_of=read, by=alice)

    assert changed.choices == [["silver", "Argent"], ["bronze", "Bronze"], ["tin", "Tin"]]


@pytest.mark.parametrize(
    "choices", [[], [("a", " ")], [("a", "A"), ("b", "a")], [("a", "A"), ("a", "B")], [("a", "\0")], [("", "x" * 81)]]
)
def test_bad_choices_are_refused_beside_them(alice, tier, choices):
    with pytest.raises(defining.InvalidDefinition) as refused:
        defining.change_property(tier, choices=choices, by=alice)

    assert set(refused.value.fields) == {"choices"}


def test_only_a_choice_has_choices(alice):
    size = defining.define_property(alice.account, "deals", key="size", label="Size", type="number", by=alice)

    with pytest.raises(defining.InvalidDefinition):
        defining.change_property(size, choices=[("a", "A")], by=alice)


def test_properties_stand_in_the_order_that_was_chosen(alice):
    rows = [
        defining.define_property(alice.account, "deals", key=key, label=key, type="text", by=alice) for key in "abcd"
    ]
    defining.archive_property(rows[1], by=alice)
    defining.change_property(rows[3], position=0, by=alice)
    defining.change_property(rows[0], position=99, by=alice)

    own = [one.key for one in schema.kind_of(alice.account, "deals").properties if one.is_custom]
    assert own == ["d", "c", "a"]


def test_an_archived_property_comes_back_with_its_values(alice):
    row = defining.define_property(alice.account, "deals", key="size", label="Size", type="number", by=alice)
    deal = records.create(alice.account, "deals", {"name": "Oak", "size": 3}, by=alice)
    for _time in range(2):
        defining.archive_property(row, by=alice)
    records.change(deal, {"amount": 5}, by=alice)

    for _time in range(2):
        defining.bring_back_property(row, by=alice)

    deal.refresh_from_db()
    assert records.values_of(deal, schema.kind_of(alice.account, "deals"))["size"] == 3


def test_a_kind_is_renamed_and_keeps_its_address(alice, bob):
    row = defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)

    defining.rename_kind(row, plural="Moorings", by=alice)

    kind = schema.kind_of(alice.account, "berths")
    assert (kind.label, kind.plural, kind.path) == ("Berth", "Moorings", "objects/berths")
    with pytest.raises(NotSuperAdmin):
        defining.rename_kind(row, label="Quay", by=bob)


@pytest.mark.django_db(transaction=True)
def test_two_super_admins_who_take_the_same_name_at_once_are_told_apart(alice):
    def define():
        return defining.define_property(alice.account, "deals", key="size", label="Size", type="text", by=alice)

    outcomes = at_once(define, define)

    refused = [one for one in outcomes if isinstance(one, defining.InvalidDefinition)]
    assert [one.fields for one in refused] == [{"key": ["This name is taken."]}]


@pytest.mark.req("N-146")
def test_whom_an_archived_property_names_owns_nothing_by_it_until_it_is_back(alice, bob, carol, monkeypatch):
    monkeypatch.setattr(settling, "IN_A_BATCH", 2)
    row = defining.define_property(alice.account, "deals", key="advisor", label="Advisor", type="user", by=alice)
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    for name, advisor in (("a", bob), ("b", bob), ("c", bob), ("d", carol), ("e", None)):
        records.create(
            alice.account, "deals", {"name": name, "owner": alice.pk, "advisor": advisor and advisor.pk}, by=alice
        )

    def settle():
        while settling.step():
            pass
        return "".join(Record.objects.visible_to(bob).order_by("title").values_list("title", flat=True))

    assert settle() == "abc"
    defining.archive_property(row, by=alice)
    assert settling.has_work()
    assert settle() == ""
    assert set(Record.objects.values_list("version", flat=True)) == {1}
    defining.bring_back_property(row, by=alice)
    assert settle() == "abc"
    assert not settling.has_work()
