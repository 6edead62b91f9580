"""What a super admin defines: kinds of the account's own, properties of any kind."""

import pytest

from accounts.members import NotSuperAdmin
from crm import defining, records, schema
from crm.errors import InvalidRecord


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
