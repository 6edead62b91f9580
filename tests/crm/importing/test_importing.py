"""From a file to records: tried out first, then written, one outcome per row, whatever dies in between."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from crm import defining, permissions, records, schema
from crm.importing import deciding, plans, running, uploading
from crm.importing.deciding import NotNow
from crm.importing.plans import InvalidPlan, Plan
from crm.models import Change, ImportJob, ImportPiece, ImportRow, Record
from tests import factories
from tests.crm.importing.conftest import PEOPLE, carry_on, forecasts, outcomes, reasons


def test_columns_are_proposed_by_their_names(uploaded, alice):
    job = uploaded("Vorname,Surname,E-Mail,Record ID,Shoe size,Contact owner,City\nMia,Lind,m@x.example,,38,,Oslo\n")

    assert job.plan["columns"] == ["first_name", "last_name", "email", "id", "", "owner", "city"]
    assert job.plan["match"] == "id"
    assert job.columns[4] == "Shoe size"


def test_a_dry_run_says_what_would_become_of_each_row_and_writes_nothing(tried, make, told):
    make("contacts", first_name="Mia", last_name="", email="mia@example.com", city="Oslo")
    make("contacts", first_name="Tomás", last_name="", email="tomas@example.com", city="Porto")
    before = Change.objects.count()
    job = tried(
        "E-mail,First name,City\n"
        "mia@example.com,Mia,Bergen\n"
        "TOMAS@example.com,Tomás,Porto\n"
        "new@example.com,New,\n"
        "NEW@example.com,Newer,\n"
        "no address,Nobody,\n"
        ",,Cork\n"
    )

    assert forecasts(job) == ["updated", "unchanged", "created", "duplicate", "refused", "refused"]
    assert job.forecast == {"updated": 1, "unchanged": 1, "created": 1, "duplicate": 1, "refused": 2}
    assert reasons(job) == [
        ("", "The same as line 4."),
        ("E-mail", "“no address” is not an e-mail address such as ann@example.com."),
        ("First name", "Write a name, or fill in another of these fields."),
    ]
    assert (Record.objects.count(), Change.objects.count()) == (2, before)
    assert set(outcomes(job)) == {"waiting"}


@pytest.mark.req("N-132")
def test_an_import_does_what_was_tried_out_and_who_asked_is_told(imported, make, told, alice):
    mia = make("contacts", first_name="Mia", email="mia@example.com", city="Oslo")
    job = imported(
        "E-mail,First name,City\nmia@example.com,,Bergen\nnew@example.com,New,Cork\nnew@example.com,Again,\nnobody,N,\n"
    )

    assert outcomes(job) == ["updated", "created", "duplicate", "refused"]
    assert sum(job.outcomes.values()) == job.rows == 4
    mia.refresh_from_db()
    assert (mia.values["city"], mia.values["first_name"]) == ("Bergen", "Mia")
    made = Record.objects.get(address="new@example.com")
    assert (made.source, made.created_by) == ("import", alice)
    assert told("system.import_finished") == [
        (
            [alice.pk],
            {"file": "trade-fair.csv", "created": 1, "updated": 1, "failed": 1, "url": f"/1001/imports/{job.pk}/"},
        )
    ]
    assert not ImportPiece.objects.exists()


def test_owners_stages_choices_days_and_numbers_are_read_as_people_write_them(imported, alice, bob):
    job = imported(
        "Deal name;Amount;Close date;Deal stage;Deal owner\n"
        f"Oak;1.234,50;31.12.2026;Offer made;{bob.email.upper()}\n"
        f"Ash;18 400;1.2.2027;sales / won;{bob.name}\n"
        "Elm;12;2027-03-09;Nowhere;Somebody Else\n"
        "Fir;many;31.02.2027;;\n",
        "deals",
    )

    assert job.plan["dates"] == "dmy"
    assert job.plan["numbers"] == "comma"
    assert outcomes(job) == ["created", "created", "refused", "refused"]
    oak, ash = Record.objects.order_by("pk")
    assert (oak.values["amount"], oak.values["close_date"], oak.stage.name, oak.owner) == (
        1234.5,
        "2026-12-31",
        "Offer made",
        bob,
    )
    assert (ash.values["amount"], ash.values["close_date"], ash.stage.name, ash.owner) == (
        18400,
        "2027-02-01",
        "Won",
        bob,
    )
    assert reasons(job) == [
        ("Deal stage", "There is no stage “Nowhere”."),
        ("Deal owner", "No active member has the address or name “Somebody Else”."),
        ("Amount", "“many” is not a number as the file is said to write them."),
        ("Close date", "“31.02.2027” is no day of the calendar, written as 30.11.2026 or 30/11/2026."),
    ]


@pytest.mark.parametrize(
    ("form", "cell", "moment"),
    [
        ("iso", "2026-11-30 14:30", "2026-11-30T13:30:00+00:00"),
        ("iso", "2026-11-30T14:30:00Z", "2026-11-30T14:30:00+00:00"),
        ("dmy", "30.11.2026 14:30", "2026-11-30T13:30:00+00:00"),
        ("mdy", "11/30/2026 2:30 PM", "2026-11-30T13:30:00+00:00"),
        ("dmy", "30/11/2026", "2026-11-30T08:00:00+00:00"),
    ],
)
def test_times_are_meant_where_who_imports_is(imported, alice, form, cell, moment):
    alice.time_zone = "Europe/Stockholm"
    alice.save()
    imported(f"Task name,Due\nCall,{cell}\n", "tasks", dates=form)

    assert Record.objects.get().due_at.isoformat() == moment


def test_two_members_of_one_name_need_their_addresses(tried, account, bob):
    factories.member(account, "bobby")
    User.objects.filter(email="bobby@example.com").update(name=bob.name)
    job = tried(f"Deal name,Owner\nOak,{bob.name}\n", "deals", columns=["name", "owner"])

    assert reasons(job) == [("Owner", f"Several members are called “{bob.name}”. Write the e-mail address.")]


def test_choices_go_by_label_or_key_and_yes_and_no_by_words(imported, alice):
    defining.define_property(alice.account, "contacts", key="vip", label="VIP", type="boolean", by=alice)
    job = imported("First name,Lifecycle stage,VIP\nMia,CUSTOMER,yes\nTom,Lead,No\nZoë,friend,perhaps\n")

    assert outcomes(job) == ["created", "created", "refused"]
    assert [(row.values["lifecycle"], row.values["vip"]) for row in Record.objects.order_by("pk")] == [
        ("customer", True),
        ("lead", False),
    ]
    assert [column for column, _sentence in reasons(job)] == ["Lifecycle stage", "VIP"]


def test_records_are_found_by_a_domain_an_own_property_or_their_number(imported, make, alice):
    defining.define_property(alice.account, "companies", key="number", label="Number", type="number", by=alice)
    old = make("companies", name="Old", domain="oak.example", number=17)

    job = imported("Domain,Company name\nhttps://OAK.example/,New\n", "companies", match="domain")
    assert outcomes(job) == ["updated"]
    job = imported("Number,Company name\n17,Newer\n18,Other\n", "companies", match="number")
    assert outcomes(job) == ["updated", "created"]
    job = imported(f"Record ID,Company name\n#{old.pk},Newest\n{old.pk},Twice\n999999999,Nobody\nx,y\n", "companies")
    assert outcomes(job) == ["updated", "duplicate", "refused", "refused"]
    old.refresh_from_db()
    assert old.title == "Newest"


def test_what_finds_several_records_is_refused(tried, make):
    one, two = (make("companies", name=name, domain="oak.example") for name in ("Oak", "Oak Ltd"))
    job = tried("Domain,Company name\noak.example,Oak\n", "companies", match="domain")

    assert reasons(job) == [("Domain", f"Several records have this: #{one.pk}, #{two.pk}.")]


def test_records_there_are_can_be_left_alone(imported, make):
    mia = make("contacts", email="mia@fjordline.example", city="Oslo")
    job = imported(PEOPLE, existing="leave")

    assert outcomes(job) == ["unchanged", "created"]
    mia.refresh_from_db()
    assert mia.version == 1


def test_an_address_that_another_contact_has_is_refused_when_nothing_is_matched(tried, make):
    make("contacts", email="mia@fjordline.example")
    job = tried(PEOPLE, match="")

    assert forecasts(job) == ["refused", "created"]
    assert "at most one contact" in reasons(job)[0][1]


def test_only_records_that_the_member_may_change_are_changed(imported, make, alice, bob):
    permissions.set_reach(bob, "contacts", sees="all", edits="own", by=alice)
    make("contacts", email="mia@fjordline.example", first_name="Mine", owner=alice.pk)
    job = imported(by=bob)

    assert outcomes(job) == ["refused", "created"]
    assert reasons(job) == [("E-mail", "You may not change the contact there is.")]
    assert Record.objects.get(address="tomas@fjordline.example").owner == bob


def test_records_of_the_account_next_door_are_not_found(imported, mallory, bob):
    theirs = records.create(mallory.account, "contacts", {"email": "mia@fjordline.example"}, by=mallory)
    job = imported(f"Record ID,City\n{theirs.pk},Oslo\n")
    assert reasons(job) == [("Record ID", f"There is no contact {theirs.pk}.")]

    job = imported(f"First name,Owner\nMia,{mallory.email}\n", columns=["first_name", "owner"])
    assert outcomes(job) == ["refused"]


def test_who_is_assigned_by_an_import_hears_once(imported, bob, five_minutes_later, told):
    imported("Deal name,Deal owner\n" + "".join(f"Deal {n},{bob.email}\n" for n in range(3)), "deals")
    five_minutes_later()

    assert [data["records"] for _who, data in told("general.records_assigned")] == ["3 deals"]


@pytest.mark.parametrize(
    ("choices", "field"),
    [
        ({"columns": ["email", "email", "city"]}, "columns[0]"),
        ({"columns": ["email", "wings", "city"]}, "columns[1]"),
        ({"columns": ["", "", ""], "match": ""}, "columns"),
        ({"columns": ["email"]}, "columns"),
        ({"columns": ["", "first_name", "city"]}, "match"),
        ({"columns": ["id", "first_name", "city"], "match": ""}, "match"),
        ({"match": "city"}, "match"),
        ({"encoding": "utf-7"}, "encoding"),
        ({"encoding": "cp1252"}, "encoding"),
        ({"delimiter": "mia"}, "delimiter"),
        ({"existing": "explode"}, "existing"),
        ({"dates": "tdm"}, "dates"),
        ({"numbers": "roman"}, "numbers"),
    ],
)
def test_choices_that_do_not_fit_are_refused_beside_them(uploaded, choices, field):
    job = uploaded(PEOPLE + "agnes@example.com,Ágnes,\n")  # the second byte of Á is none in Windows-1252
    with pytest.raises(InvalidPlan) as refusal:
        deciding.check(job, Plan.read(job.plan | choices))

    assert field in refusal.value.fields
    job.refresh_from_db()
    assert job.state == "mapping"


def test_another_way_of_reading_the_file_reads_it_anew(tried):
    job = tried()
    deciding.check(job, Plan.read(job.plan | {"header": False}))
    carry_on()
    job.refresh_from_db()

    assert (job.rows, job.forecast) == (3, {"refused": 1, "created": 2})
    assert sorted(ImportRow.objects.values_list("number", flat=True)) == [1, 2, 3]


def test_an_import_begins_once_and_only_after_it_was_tried_out(uploaded, tried):
    with pytest.raises(NotNow):
        deciding.start(uploaded())
    job = tried()
    deciding.start(job)
    with pytest.raises(NotNow):
        deciding.start(job)
    with pytest.raises(NotNow):
        deciding.roll_back(job, by=job.by)


def test_a_cancelled_import_keeps_what_is_done_and_says_so_of_the_rest(tried, monkeypatch):
    monkeypatch.setattr(running, "IMPORTED_AT_ONCE", 1)
    job = deciding.start(tried())
    running.step()
    deciding.cancel(job)
    carry_on()
    job.refresh_from_db()

    assert (job.state, job.outcomes) == ("cancelled", {"created": 1, "cancelled": 1})
    assert outcomes(job) == ["created", "cancelled"]


def test_an_import_that_waits_is_cancelled_at_once(uploaded):
    job = uploaded()
    deciding.cancel(job)
    job.refresh_from_db()

    assert job.state == "cancelled"
    assert not ImportPiece.objects.exists()


def test_a_member_has_only_so_many_files_waiting(uploaded, monkeypatch):
    monkeypatch.setattr(uploading, "MOST_OPEN", 2)
    first = uploaded()
    uploaded()
    with pytest.raises(InvalidPlan) as refusal:
        uploaded()
    assert "discard one" in refusal.value.fields["file"][0]

    deciding.cancel(first)
    assert uploaded().state == "mapping"


def test_nothing_is_imported_in_the_name_of_who_left(tried, alice):
    job = deciding.start(tried())
    alice.is_active = False
    alice.save()
    carry_on()

    assert outcomes(job) == ["cancelled", "cancelled"]
    assert not Record.objects.exists()


def test_a_worker_that_dies_in_a_batch_leaves_nothing_half_done(tried, monkeypatch):
    monkeypatch.setattr(running, "IMPORTED_AT_ONCE", 3)
    job = deciding.start(tried("First name\n" + "".join(f"Mia {n}\n" for n in range(8))))
    running.step()
    real, calls = records.create, []

    def dies(*given, **more):
        calls.append(given)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(records, "create", dies)
        with pytest.raises(KeyboardInterrupt):
            running.step()
    assert Record.objects.count() == 3
    carry_on()
    job.refresh_from_db()

    assert job.outcomes == {"created": 8}
    assert sorted(Record.objects.values_list("title", flat=True)) == [f"Mia {n}" for n in range(8)]


def test_a_row_that_breaks_us_is_refused_and_the_others_go_on(tried, monkeypatch):
    job = deciding.start(tried())
    real = records.create

    def breaks(account, kind, given, **more):
        return 1 / 0 if given["first_name"] == "Mia" else real(account, kind, given, **more)

    monkeypatch.setattr(records, "create", breaks)
    carry_on()

    assert outcomes(job) == ["refused", "created"]


def test_an_import_that_always_stumbles_fails_and_lets_the_others_pass(uploaded, tried, monkeypatch):
    bad = uploaded()
    deciding.check(bad, Plan.read(bad.plan))
    real = running.STAGES["reading"]

    def stumbles(job):
        return 1 / 0 if job.pk == bad.pk else real(job)

    monkeypatch.setitem(running.STAGES, "reading", stumbles)
    good = uploaded()
    deciding.check(good, Plan.read(good.plan))
    for _turn in range(12):
        running.step()

    states = dict(ImportJob.objects.values_list("pk", "state"))
    assert states == {bad.pk: "failed", good.pk: "checked"}


def test_accounts_take_turns_whatever_each_has_under_way(uploaded, mallory, monkeypatch):
    monkeypatch.setattr(running, "CHECKED_AT_ONCE", 1)
    ours = [uploaded() for _ in range(3)]
    theirs = uploaded(by=None)
    ImportJob.objects.filter(pk=theirs.pk).update(account=mallory.account)
    theirs.refresh_from_db()
    for job in (*ours, theirs):
        deciding.check(job, Plan.read(job.plan))
    turns = []
    for _turn in range(6):
        before = dict(ImportJob.objects.values_list("pk", "touched_at"))
        running.step()
        after = dict(ImportJob.objects.values_list("pk", "touched_at"))
        turns += [pk == theirs.pk for pk in after if after[pk] != before[pk]]

    assert sum(turns) == 3


def test_two_workers_never_meet_at_one_import(uploaded):
    job = uploaded()
    deciding.check(job, Plan.read(job.plan))

    with CaptureQueriesContext(
        connection,
    ) as asked:
        running.step()

    assert any("FOR UPDATE" in one["sql"] and "SKIP LOCKED" in one["sql"] for one in asked.captured_queries)


def test_trying_out_costs_few_queries_however_many_rows(uploaded, alice):
    def queries(rows):
        job = uploaded("E-mail,First name\n" + "".join(f"m{rows}{n}@example.com,Mia\n" for n in range(rows)))
        deciding.check(job, Plan.read(job.plan))
        running.step()
        with CaptureQueriesContext(connection) as asked:
            running.step()
        deciding.cancel(job)
        carry_on()
        return len(asked)

    assert queries(3) == queries(60)


def test_the_first_stages_of_an_account_are_there_for_its_first_import(imported, alice):
    job = imported("Ticket name,Ticket status\nPrinter,Waiting for us\n", "tickets")

    assert outcomes(job) == ["created"]


def test_kinds_of_the_account_are_imported_too(imported, alice):
    defining.define_kind(alice.account, key="berths", label="Berth", plural="Berths", by=alice)
    job = imported("Name,Description\nQuay 4,Deep\n", "berths")

    assert outcomes(job) == ["created"]
    assert plans.matchable(schema.kind_of(alice.account, "berths")) == []
