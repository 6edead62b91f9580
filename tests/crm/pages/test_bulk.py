"""Many records at once: asked for, done in the background a batch at a time, one outcome per record, cancelled."""

import pytest

from crm import bulk, permissions, records, schema
from crm.browsing import Wanted
from crm.models import BulkItem, BulkJob, BulkOutcome, Record

BULK = "/1001/contacts/bulk/"


@pytest.fixture
def contacts(made):
    return [made(first_name=f"Mia {i}", city="Oslo" if i % 2 else "") for i in range(7)]


@pytest.fixture
def kind(alice):
    return schema.kind_of(alice.account, "contacts")


def run():
    while bulk.step():
        pass


def outcomes(job):
    return bulk.progress(job).by_outcome


def test_ticked_records_are_assigned_after_asking_once_more(signed_in, contacts, bob, carol):
    browser, ids = signed_in(bob), [one.pk for one in contacts[:3]]
    given = {"ids": ids, "verb": "assign", "to": carol.pk}

    question = browser.post(BULK, given)
    assert "3 records." in question.content.decode()
    assert "Carol becomes their owner." in question.content.decode()
    assert not BulkJob.objects.exists()
    watched = browser.post(BULK, given | {"sure": "on"})
    run()

    assert set(Record.objects.filter(owner=carol).values_list("pk", flat=True)) == set(ids)
    assert "Finished." in browser.get(watched["Location"]).content.decode()
    assert outcomes(BulkJob.objects.get()) == {BulkOutcome.DONE: 3}


def test_all_that_match_are_deleted_and_nothing_else(signed_in, contacts, bob, monkeypatch):
    monkeypatch.setattr(bulk, "GATHERED_AT_ONCE", 2)
    monkeypatch.setattr(bulk, "IN_A_BATCH", 2)
    browser, given = signed_in(bob), {"all": "on", "verb": "delete", "is.city": "Oslo"}
    assert "3 records." in browser.post(BULK, given).content.decode()

    browser.post(BULK, given | {"sure": "on"})
    run()

    assert Record.objects.in_bin().count() == 3
    assert not Record.objects.live().filter(values__city="Oslo").exists()


def test_what_is_made_after_asking_is_left_alone(kind, made, contacts, bob):
    job = bulk.start(kind, verb="delete", by=bob, wanted=Wanted())
    late = made(first_name="Late")
    run()

    assert outcomes(job) == {BulkOutcome.DONE: 7}
    assert not Record.objects.get(pk=late.pk).is_deleted


def test_every_record_has_one_outcome_and_refusals_a_reason(kind, contacts, alice, bob, carol):
    records.assign(contacts[0], to=bob, by=alice)
    records.delete(contacts[1], by=alice)
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)
    job = bulk.start(kind, verb="assign", to=carol, by=bob, ids=[one.pk for one in contacts])
    carol.is_active = False
    carol.save()
    run()

    assert outcomes(job) == {BulkOutcome.REFUSED: 1, BulkOutcome.NOT_THERE: 6}
    assert "no such active member" in BulkItem.objects.get(outcome=BulkOutcome.REFUSED).reason


def test_a_worker_that_dies_in_a_batch_leaves_nothing_half_done(kind, contacts, bob, carol, monkeypatch):
    monkeypatch.setattr(bulk, "IN_A_BATCH", 3)
    job = bulk.start(kind, verb="assign", to=carol, by=bob, ids=[one.pk for one in contacts])
    bulk.step()
    real, calls = records.assign, []

    def dies(record, **given):
        calls.append(record)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(record, **given)

    with monkeypatch.context() as patch:
        patch.setattr(records, "assign", dies)
        with pytest.raises(KeyboardInterrupt):
            bulk.step()
    assert Record.objects.filter(owner=carol).count() == 3
    run()

    assert outcomes(job) == {BulkOutcome.DONE: 7}
    assert {change.record_id: change.version for change in _changes()} == {one.pk: 2 for one in contacts}


def _changes():
    from crm.models import Change

    return list(Change.objects.filter(what="owner"))


def test_a_job_that_stumbles_lets_the_others_pass(kind, contacts, bob, carol, monkeypatch):
    bad = bulk.start(kind, verb="delete", by=bob, ids=[contacts[0].pk])
    good = bulk.start(kind, verb="assign", to=carol, by=bob, ids=[contacts[1].pk])
    monkeypatch.setattr(records, "delete", lambda *_given, **_more: 1 / 0)

    for _turn in range(6):
        bulk.step()

    good.refresh_from_db()
    bad.refresh_from_db()
    assert good.finished_at is not None
    assert bad.finished_at is None


def test_a_cancelled_job_stops_before_the_next_batch(signed_in, kind, contacts, bob, carol, monkeypatch):
    monkeypatch.setattr(bulk, "IN_A_BATCH", 3)
    job = bulk.start(kind, verb="assign", to=carol, by=bob, ids=[one.pk for one in contacts])
    bulk.step()

    signed_in(bob).post(f"{BULK}{job.pk}/cancel/")
    run()

    assert outcomes(job) == {BulkOutcome.DONE: 3, BulkOutcome.CANCELLED: 4}
    assert "Cancelled." in signed_in(bob).get(f"{BULK}{job.pk}/").content.decode()


def test_progress_is_told_while_it_runs(signed_in, kind, contacts, bob, carol, monkeypatch):
    monkeypatch.setattr(bulk, "IN_A_BATCH", 3)
    job = bulk.start(kind, verb="assign", to=carol, by=bob, ids=[one.pk for one in contacts])
    bulk.step()

    piece = signed_in(bob).get(f"{BULK}{job.pk}/", headers={"HX-Request": "true"}).content.decode()

    assert "3 of 7" in piece
    assert 'hx-trigger="every 2s"' in piece
    assert "<html" not in piece


def test_a_job_is_its_members_own(signed_in, kind, contacts, bob, carol):
    job = bulk.start(kind, verb="delete", by=bob, ids=[contacts[0].pk])

    assert signed_in(carol).get(f"{BULK}{job.pk}/").status_code == 404
    assert signed_in(carol).post(f"{BULK}{job.pk}/cancel/").status_code == 404


@pytest.mark.parametrize(
    "given", [{"verb": "delete"}, {"verb": "explode", "ids": [1]}, {"verb": "assign", "ids": ["x"]}]
)
def test_what_makes_no_sense_is_refused_in_words(signed_in, contacts, bob, given):
    answer = signed_in(bob).post(BULK, given, follow=True)

    assert "banner--error" in answer.content.decode()
    assert not BulkJob.objects.exists()


def test_nobody_of_the_account_next_door_becomes_owner(signed_in, contacts, bob, mallory):
    given = {"ids": [contacts[0].pk], "verb": "assign", "to": mallory.pk, "sure": "on"}

    assert signed_in(bob).post(BULK, given).status_code == 404
    assert not BulkJob.objects.exists()


def test_records_of_the_account_next_door_are_not_there(kind, bob, mallory):
    theirs = records.create(mallory.account, "contacts", {"first_name": "Hers"}, by=mallory)
    job = bulk.start(kind, verb="delete", by=bob, ids=[theirs.pk])
    run()

    assert outcomes(job) == {BulkOutcome.NOT_THERE: 1}
    theirs.refresh_from_db()
    assert not theirs.is_deleted
