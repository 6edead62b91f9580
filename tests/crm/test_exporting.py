"""Records into a file: all that match, in order, nothing twice, nothing that one may not see, no formulas."""

import csv
import io
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from crm import defining, exporting, permissions, records, schema, spreadsheets
from crm.browsing import Wanted
from crm.exporting import ExportExpired, InvalidExport, TooManyExports
from crm.filtering import Condition
from crm.models import CustomProperty, Export, ExportPart, ExportState, Record
from tests.crm.conftest import at_once


@pytest.fixture
def deals(alice):
    return schema.kind_of(alice.account, "deals")


@pytest.fixture
def export(alice) -> Callable[..., Export]:
    def run(**given: Any) -> Export:
        deals = schema.kind_of(alice.account, "deals")
        return exporting.start(alice.account, deals, **{"by": alice, "has_bom": False} | given)

    return run


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "IN_A_PART", 2)


def write() -> None:
    while exporting.step():
        pass


def table(export: Export) -> list[dict[str, str]]:
    export.refresh_from_db()
    file = b"".join(exporting.content(export))
    assert len(file) == export.size
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline="")))


def names(export: Export) -> list[str]:
    return [row["Deal name"] for row in table(export)]


@pytest.mark.req("N-131")
def test_all_that_match_are_in_the_file_in_the_order_of_the_list(make, alice, bob, deals, export):
    for number in range(5):
        make("deals", name=f"Deal {number}", owner=(alice if number % 2 else bob).pk)
    one = export(wanted=Wanted.read(deals, {"owner": str(bob.pk), "sort": "-title"}))

    write()

    assert names(one) == ["Deal 4", "Deal 2", "Deal 0"]
    assert (one.rows, one.seen, one.total, one.state) == (3, 3, 3, ExportState.READY)


@pytest.mark.req("N-131")
def test_who_asked_is_told_once_with_the_link(make, alice, export, told):
    make("deals")
    one = export()
    write()
    write()

    (members, data), *more = told("system.export_ready")
    assert (members, more) == ([alice.pk], [])
    assert data == {"file": one.file, "rows": 1, "days": 30, "url": f"/1001/exports/{one.pk}/"}


def test_the_ticked_ones_only_with_the_chosen_columns(make, export):
    first, _second, third = (make("deals", name=name, amount=-5.5) for name in ("Oak", "Elm", "Fir"))
    one = export(ids=[third.pk, first.pk, third.pk], columns=["amount", "name"])
    write()

    assert table(one) == [
        {"Record ID": str(third.pk), "Amount": "-5.5", "Deal name": "Fir"},
        {"Record ID": str(first.pk), "Amount": "-5.5", "Deal name": "Oak"},
    ]


def test_conditions_narrow_it_down(make, export):
    make("deals", name="Oak", amount=5)
    make("deals", name="Elm", amount=50)
    one = export(conditions=[Condition("amount", "at_least", 10)])
    write()

    assert names(one) == ["Elm"]


def test_values_stand_as_an_import_reads_them(make, alice, bob, export):
    alice.time_zone = "Europe/Stockholm"
    alice.save()
    deal = make("deals", owner=bob.pk, close_date="2026-11-30", amount=18400.5)
    Record.objects.update(created_at="2026-11-22T23:30:00Z")
    one = export()
    write()

    (row,) = table(one)
    assert row["Amount"] == "18400.5"
    assert row["Close date"] == "2026-11-30"
    assert row["Deal owner"] == "bob@example.com"
    assert row["Created"] == "2026-11-23 00:30:00"
    assert deal.stage.name in row.values()


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "＝"])
def test_no_cell_runs_as_a_formula(start):
    assert spreadsheets.harmless(f"{start}1+1") == f"'{start}1+1"


def test_a_formula_in_a_name_is_only_text(make, export):
    make("deals", name='=HYPERLINK("https://example.com","Oak")')
    one = export()
    write()

    assert names(one) == ['\'=HYPERLINK("https://example.com","Oak")']


def test_the_file_is_utf8_with_a_mark_where_wanted_and_quoted_after_the_rules(make, export):
    make("deals", name='Åre, "Süd" 🌲', currency="EUR")
    with_mark, without = export(has_bom=True, columns=["name"]), export(columns=["name"])
    write()

    (first, second) = (b"".join(exporting.content(one)) for one in (with_mark, without))
    assert first == spreadsheets.BOM + second
    assert second.startswith(b"Record ID,Deal name\r\n")
    assert second.endswith(',"Åre, ""Süd"" 🌲"\r\n'.encode())


def test_what_one_may_not_see_when_it_is_written_is_not_in_it(make, alice, bob, export):
    make("deals", name="Oak", owner=bob.pk)
    make("deals", name="Elm", owner=alice.pk)
    gone = make("deals", name="Fir", owner=bob.pk)
    one = export(by=bob)
    exporting.step()  # which records is known
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    records.delete(gone, by=alice)
    write()

    assert names(one) == ["Oak"]
    assert (one.total, one.rows) == (3, 1)


def test_ticking_what_one_may_not_see_brings_nothing(make, alice, bob, mallory, export):
    permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)
    theirs = records.create(mallory.account, "deals", {"name": "Roastery"}, by=mallory)
    one = export(by=bob, ids=[make("deals").pk, theirs.pk])
    write()

    assert names(one) == []


def test_a_property_that_is_removed_meanwhile_shifts_nothing(make, alice, export):
    defining.define_property(alice.account, "deals", key="advisor", label="Advisor", type="text", by=alice)
    make("deals", name="Oak", advisor="Ida", currency="EUR")
    one = export(columns=["name", "advisor", "currency"])
    exporting.step()
    CustomProperty.objects.update(archived_at=timezone.now())
    write()

    assert table(one)[0] | {"Record ID": ""} == {
        "Record ID": "",
        "Deal name": "Oak",
        "Advisor": "Ida",
        "Currency": "EUR",
    }


def test_a_worker_that_dies_leaves_nothing_half_written_and_nothing_is_there_twice(make, export):
    for number in range(5):
        make("deals", name=f"Deal {number}")
    one = export()
    for _step in range(4):
        with suppress(KeyboardInterrupt), transaction.atomic():
            exporting.step()
            raise KeyboardInterrupt
        exporting.step()
    write()

    assert sorted(names(one)) == [f"Deal {number}" for number in range(5)]
    assert (one.rows, one.seen) == (5, 5)


def test_a_value_that_is_not_what_its_property_holds_stands_as_it_is(make, export):
    deal = make("deals", name="Oak")
    Record.objects.update(values={"name": "Oak", "amount": "=1+1", "close_date": "soon"})
    one = export(columns=["amount", "close_date"])
    write()

    assert table(one) == [{"Record ID": str(deal.pk), "Amount": "'=1+1", "Close date": "soon"}]


@pytest.mark.django_db(transaction=True)
def test_several_workers_write_each_line_once(make, export):
    for number in range(9):
        make("deals", name=f"Deal {number}")
    one = export()
    at_once(write, write, write)
    write()

    assert sorted(names(one)) == [f"Deal {number}" for number in range(9)]


def test_exports_take_turns(make, alice, bob, export):
    for number in range(6):
        make("deals", name=f"Deal {number}")
    first, second = export(), export(by=bob)
    for _step in range(4):
        exporting.step()

    assert [Export.objects.get(pk=one.pk).seen for one in (first, second)] == [2, 2]


def test_a_cancelled_one_keeps_nothing_and_tells_nobody(make, export, told):
    make("deals")
    one = export()
    exporting.step()
    exporting.cancel(one)
    write()

    one.refresh_from_db()
    assert one.state is ExportState.CANCELLED
    assert not ExportPart.objects.exists()
    assert told("system.export_ready") == []


def test_who_left_gets_no_file(make, bob, export):
    make("deals")
    one = export(by=bob)
    bob.is_active = False
    bob.save()
    write()

    assert Export.objects.get(pk=one.pk).state is ExportState.CANCELLED


def test_a_file_is_erased_after_its_time_and_named_a_while_longer(make, export):
    make("deals")
    one = export()
    write()
    one.refresh_from_db()
    assert one.expires_at - one.finished_at == timedelta(days=30)

    Export.objects.update(expires_at=timezone.now())
    exporting.erase_old()
    one.refresh_from_db()

    assert one.is_expired
    assert not ExportPart.objects.exists()
    with pytest.raises(ExportExpired):
        exporting.check_ready(one)
    Export.objects.update(expires_at=timezone.now() - timedelta(days=366))
    exporting.erase_old()
    assert not Export.objects.exists()


def test_what_makes_no_sense_is_refused_in_words(export):
    with pytest.raises(InvalidExport, match="no such property: colour"):
        export(columns=["name", "colour"])
    with pytest.raises(InvalidExport, match="at least one"):
        export(ids=[])
    assert not Export.objects.exists()


def test_a_member_has_only_so_many_under_way(bob, export):
    for _number in range(exporting.MOST_AT_ONCE):
        export()
    with pytest.raises(TooManyExports):
        export()
    export(by=bob)


def test_a_piece_costs_the_same_number_of_queries_whatever_is_in_it(make, bob, export, monkeypatch):
    def cost(number: int) -> int:
        monkeypatch.setattr(exporting, "IN_A_PART", number)
        for _one in range(number):
            make("deals", owner=bob.pk)
        one = export()
        exporting.step()
        with CaptureQueriesContext(connection) as captured:
            exporting.step()
        exporting.delete(one)
        return len(captured)

    assert cost(2) == cost(20)
