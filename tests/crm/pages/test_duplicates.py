"""The pages of records that look like one."""

import pytest

from crm import duplicates, paths, permissions
from crm.models import Duplicate, Record


@pytest.fixture
def pair(made):
    low = made(first_name="Mia", last_name="Lind", email="mia.lind@example.com")
    high = made(first_name="Mia", last_name="Lind", email="mialind@example.com", city="Oslo")
    duplicates.check_some()
    return Duplicate.objects.get(low=low, high=high)


def test_both_stand_side_by_side_and_become_one(signed_in, pair, bob):
    url = paths.duplicates(pair.low)
    page = signed_in(bob).get(url).content.decode()
    assert "mialind@example.com" in page
    assert "Oslo" in page

    answer = signed_in(bob).post(url, {"pair": pair.pk, "verb": "merge"}, follow=True)

    assert "is now part of this record." in answer.content.decode()
    left = Record.objects.live().get()
    assert (left.pk, left.values["city"]) == (pair.low_id, "Oslo")


def test_they_can_stay_two(signed_in, pair, bob):
    signed_in(bob).post(paths.duplicates(pair.high), {"pair": pair.pk, "verb": "dismiss"})

    assert Record.objects.live().count() == 2
    assert "Nothing looks the same" in signed_in(bob).get(paths.duplicates(pair.low)).content.decode()


def test_all_pairs_are_listed(signed_in, pair, bob):
    page = signed_in(bob).get("/1001/data-quality/duplicates/").content.decode()

    assert "Mia Lind — Mia Lind" in page
    assert paths.duplicates(pair.low) in page


def test_a_pair_with_a_record_that_the_member_may_not_change_is_refused(signed_in, pair, alice, bob):
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)

    answer = signed_in(bob).post(paths.duplicates(pair.low), {"pair": pair.pk, "verb": "merge"})

    assert answer.status_code == 403
    assert Record.objects.live().count() == 2


def test_another_records_pair_is_not_there(signed_in, made, pair, bob):
    other = made(first_name="Nils")

    assert signed_in(bob).post(paths.duplicates(other), {"pair": pair.pk, "verb": "merge"}).status_code == 404
