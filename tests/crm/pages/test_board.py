"""Boards: columns by stage, cards that move, refusals in words."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from crm import boards, permissions, pipelines, records, schema, stages
from crm.models import Record, Stage

BOARD = "/1001/deals/board/"


@pytest.fixture
def sales(alice):
    """The stages of the deals."""
    kind = schema.kind_of(alice.account, "deals")
    return list(stages.pipelines_of(alice.account, kind)[0].stages.all())


def columns(page):
    """The cards of a board, by column."""
    found = {}
    for part in page.split("data-stage=")[1:]:
        name = re.search(r'data-name="([^"]*)"', part)[1]
        found[name] = re.findall(r'data-title="([^"]*)"', part)
    return found


@pytest.mark.parametrize("kind", ["deals", "tickets"])
def test_records_stand_in_the_column_of_their_stage(signed_in, made, alice, bob, kind):
    kind_ = schema.kind_of(alice.account, kind)
    first, second = list(stages.pipelines_of(alice.account, kind_)[0].stages.all())[:2]
    made(kind, name="Oak")
    made(kind, name="Elm", stage=second.pk)

    shown = columns(signed_in(bob).get(f"/1001/{kind}/board/").content.decode())

    assert shown[first.name] == ["Oak"]
    assert shown[second.name] == ["Elm"]


def test_what_has_no_stages_has_no_board(signed_in, bob):
    assert signed_in(bob).get("/1001/contacts/board/").status_code == 404


def test_only_mine(signed_in, made, sales, bob):
    made("deals", name="Oak", owner=bob.pk)
    made("deals", name="Elm")

    assert columns(signed_in(bob).get(BOARD, {"owner": "me"}).content.decode())[sales[0].name] == ["Oak"]


def test_a_column_shows_some_cards_and_the_rest_when_asked(signed_in, made, sales, bob, monkeypatch):
    monkeypatch.setattr(boards, "IN_COLUMN", 3)
    for i in range(8):
        made("deals", name=f"Deal {i}")
    browser = signed_in(bob)
    page = browser.get(BOARD).content.decode()
    found = list(columns(page)[sales[0].name])
    assert re.search(r'data-count="8">8<', page)
    while more := re.search(r'hx-get="([^"]*)"', page):
        page = browser.get(more[1].replace("&amp;", "&"), headers={"HX-Request": "true"}).content.decode()
        found += re.findall(r'data-title="([^"]*)"', page)

    assert found == [f"Deal {i}" for i in range(7, -1, -1)]


def test_the_number_of_queries_does_not_grow(signed_in, made, sales, bob):
    browser = signed_in(bob)

    def count():
        browser.get(BOARD)
        with CaptureQueriesContext(connection) as captured:
            browser.get(BOARD)
        return len(captured)

    made("deals", owner=bob.pk)
    few = count()
    for i in range(12):
        made("deals", stage=sales[i % 6].pk, owner=bob.pk)

    assert count() == few


def test_a_card_moves(signed_in, made, sales, bob):
    deal = made("deals")

    answer = signed_in(bob).post(f"/1001/deals/{deal.pk}/move/", {"stage": sales[2].pk, "version": 1})

    deal.refresh_from_db()
    assert answer.json() == {"version": 2}
    assert deal.stage == sales[2]


def test_a_card_that_somebody_else_changed_is_refused_with_the_new_version(signed_in, made, sales, alice, bob):
    deal = made("deals")
    records.change(deal, {"amount": 5}, by=alice)

    answer = signed_in(bob).post(f"/1001/deals/{deal.pk}/move/", {"stage": sales[2].pk, "version": 1})

    assert answer.status_code == 409
    assert answer.json()["version"] == 2
    assert "Somebody else changed this meanwhile (Amount)." in answer.json()["said"]
    assert Record.objects.get().stage == sales[0]


def test_a_stage_that_was_removed_meanwhile_is_refused_in_words(signed_in, made, sales, alice, bob):
    deal = made("deals")
    gone = sales[2].pk
    pipelines.remove_stage(sales[2], by=alice)

    answer = signed_in(bob).post(f"/1001/deals/{deal.pk}/move/", {"stage": gone, "version": 1})

    assert answer.status_code == 422
    assert "It may have been removed a moment ago." in answer.json()["said"]
    assert Record.objects.get().stage == sales[0]


@pytest.mark.parametrize("given", [{}, {"stage": "x", "version": "1"}, {"stage": "1", "version": "٣"}])
def test_a_move_says_where_to(signed_in, made, bob, given):
    deal = made("deals")

    assert signed_in(bob).post(f"/1001/deals/{deal.pk}/move/", given).status_code == 422


def test_who_may_only_look_moves_nothing(signed_in, made, sales, alice, bob):
    deal = made("deals")
    permissions.set_reach(bob, "deals", sees="all", edits="own", by=alice)

    answer = signed_in(bob).post(f"/1001/deals/{deal.pk}/move/", {"stage": sales[2].pk, "version": 1})

    assert answer.status_code == 403
    assert "not change it" in answer.json()["said"]


def test_a_column_of_the_account_next_door_is_not_there(signed_in, mallory, bob):
    kind = schema.kind_of(mallory.account, "deals")
    theirs = stages.pipelines_of(mallory.account, kind)[0].stages.first()

    assert Stage.objects.filter(pk=theirs.pk).exists()
    assert signed_in(bob).get(f"{BOARD}{theirs.pk}/").status_code == 404
