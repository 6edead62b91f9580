"""Taking an import back: what it made and changed, but nothing that somebody touched since."""

import pytest

from crm import activities, permissions, records
from crm.importing import deciding, forgetting, rolling_back, running
from crm.models import ImportJob, ImportRow, Record
from crm.records import KEPT_IN_BIN
from tests.crm.importing.conftest import PEOPLE, carry_on, reasons


def roll_back(job, by):
    deciding.roll_back(job, by=by)
    carry_on()
    job.refresh_from_db()


def undone(job):
    return list(ImportRow.objects.filter(job=job).order_by("number").values_list("undone", flat=True))


@pytest.mark.req("N-101")
def test_what_was_made_goes_to_the_bin_what_was_changed_gets_its_old_values_and_who_asked_is_told(
    imported, make, told, alice, bob
):
    tom = make("contacts", first_name="Tom", last_name="", email="tomas@fjordline.example", owner=bob.pk)
    job = imported()
    tom.refresh_from_db()
    assert (tom.values["first_name"], tom.values["city"]) == ("Tomás", "Porto")
    roll_back(job, alice)

    assert (job.state, job.undone) == ("rolled_back", {"removed": 1, "put_back": 1})
    tom.refresh_from_db()
    assert (tom.values["first_name"], "city" in tom.values, tom.owner, tom.version) == ("Tom", False, bob, 3)
    assert Record.objects.get(address="mia@fjordline.example").is_deleted
    assert told("general.import_rolled_back") == [
        ([alice.pk], {"file": "trade-fair.csv", "removed": 1, "url": f"/1001/imports/{job.pk}/"})
    ]


def test_what_somebody_changed_since_is_left_and_said_so(imported, make, alice, bob):
    make("contacts", first_name="Tom", email="tomas@fjordline.example", city="Lisbon")
    job = imported()
    mia, tom = (Record.objects.get(address=f"{name}@fjordline.example") for name in ("mia", "tomas"))
    records.change(mia, {"city": "Oslo"}, by=bob)
    records.change(tom, {"city": "Braga", "phone": "+351 21 123 45 67"}, by=bob)
    roll_back(job, alice)

    assert undone(job) == ["left", "partly"]
    assert [sentence for _column, sentence in reasons(job)] == [
        "Somebody changed it since, or wrote on it.",
        "Somebody changed this since: City.",
    ]
    mia.refresh_from_db()
    tom.refresh_from_db()
    assert not mia.is_deleted
    assert (tom.values["first_name"], tom.values["city"], tom.values["phone"]) == ("Tom", "Braga", "+351 21 123 45 67")


def test_what_somebody_wrote_on_is_left(imported, alice, bob):
    job = imported()
    activities.log(Record.objects.get(address="mia@fjordline.example"), kind="note", text="Call back.", by=bob)
    roll_back(job, alice)

    assert undone(job) == ["left", "removed"]


def test_what_is_gone_or_not_theirs_to_change_is_left(imported, alice, bob):
    job = imported(by=bob)
    records.delete(Record.objects.get(address="mia@fjordline.example"), by=alice)
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)
    roll_back(job, bob)

    assert undone(job) == ["left", "left"]


def test_old_values_that_are_not_there_any_more_are_left_with_the_reason(imported, make, alice, bob):
    make("contacts", email="mia@fjordline.example", owner=bob.pk)
    job = imported(f"E-mail,Contact owner\nmia@fjordline.example,{alice.email}\n")
    bob.is_active = False
    bob.save()
    roll_back(job, alice)

    assert undone(job) == ["left"]
    assert "no such active member" in reasons(job)[0][1]


def test_a_rollback_that_dies_goes_on_and_repeats_nothing(imported, alice, monkeypatch):
    monkeypatch.setattr(rolling_back, "AT_ONCE", 2)
    job = imported("First name\n" + "".join(f"Mia {n}\n" for n in range(5)))
    deciding.roll_back(job, by=alice)
    running.step()
    real, calls = records.delete, []

    def dies(*given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(records, "delete", dies)
        with pytest.raises(KeyboardInterrupt):
            running.step()
    assert Record.objects.in_bin().count() == 2
    carry_on()
    job.refresh_from_db()

    assert job.undone == {"removed": 5}
    assert set(Record.objects.values_list("version", flat=True)) == {2}


def test_a_cancelled_import_can_be_taken_back(tried, alice, monkeypatch):
    monkeypatch.setattr(running, "IMPORTED_AT_ONCE", 1)
    job = deciding.start(tried())
    running.step()
    deciding.cancel(job)
    carry_on()
    roll_back(job, alice)

    assert (job.state, job.undone) == ("rolled_back", {"removed": 1})


def test_what_is_older_than_the_bin_is_forgotten(imported, uploaded):
    old, new = imported(), uploaded(PEOPLE)
    ImportJob.objects.filter(pk=old.pk).update(created_at=old.created_at - 2 * KEPT_IN_BIN)
    while forgetting.forget_some():
        pass

    assert list(ImportJob.objects.all()) == [new]
    assert not ImportRow.objects.exists()
    assert Record.objects.count() == 2


def test_an_import_and_a_rollback_that_failed_can_still_be_taken_back(tried, alice, monkeypatch):
    monkeypatch.setattr(running, "IMPORTED_AT_ONCE", 1)
    monkeypatch.setattr(rolling_back, "AT_ONCE", 1)
    job = deciding.start(tried(PEOPLE + "late@fjordline.example,Late,\n"))
    running.step()
    running.step()
    fails(job, "importing", monkeypatch)
    assert job.outcomes == {"created": 2}

    deciding.roll_back(job, by=alice)
    running.step()
    fails(job, "rolling_back", monkeypatch)
    assert job.undone == {"removed": 1}

    roll_back(job, alice)
    assert (job.state, job.undone) == ("rolled_back", {"removed": 2})


def fails(job, state, monkeypatch):
    """Whatever is tried from here on goes wrong, until it is given up."""
    with monkeypatch.context() as patch:
        patch.setitem(running.STAGES, state, lambda _job: 1 / 0)
        for _turn in range(running.MOST_STUMBLES):
            running.step()
    job.refresh_from_db()
    assert job.state == "failed"
