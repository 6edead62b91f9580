"""What kinds promise."""

import pytest
from django.utils import translation

from crm.kinds import BUILT_IN, Kind


@pytest.mark.parametrize("kind", BUILT_IN.values(), ids=str)
def test_every_kind_is_whole(kind: Kind):
    keys = [one.key for one in kind.properties]

    assert len(set(keys)) == len(keys)
    assert "owner" in keys
    assert set(kind.title) <= {*keys} | {"name"}
    assert kind.told.word in kind.told.assigned.example
    assert ("stage" in keys) == kind.has_stages == (kind.told.moved is not None)
    with translation.override("en"):
        assert kind.count(2) == f"2 {str(kind.plural).lower()}"
        assert kind.count(1) == f"1 {str(kind.label).lower()}"
