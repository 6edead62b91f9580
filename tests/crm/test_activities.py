"""Notes, comments and logged activities: who is mentioned, who takes part, who owns the record."""

import pytest

from crm import activities, defining, mentioning, permissions
from crm.models import Activity, Mention, Source
from tests import factories


@pytest.fixture
def dora(account):
    return factories.member(account, "dora")


def write(record, text, by, **more):
    return activities.log(record, kind="note", text=text, by=by, **more)


# --- Mentions


@pytest.mark.parametrize(
    ("text", "members", "teams", "plain"),
    [
        ("hello", (), (), "hello"),
        ("@[Bob Berg](member:7), call", (7,), (), "@Bob Berg, call"),
        ("@[Sales](team:3) and @[Bob](member:7) @[Bob](member:7)", (7,), (3,), "@Sales and @Bob @Bob"),
        (
            "@[Bob](user:7) @Bob @[](member:1) [Bob](member:7)",
            (),
            (),
            "@[Bob](user:7) @Bob @[](member:1) [Bob](member:7)",
        ),
        ("@[Bøb 🌲 مريم](member:8)", (8,), (), "@Bøb 🌲 مريم"),
        ("@[Bob](member:99999999999999999999)", (), (), "@[Bob](member:99999999999999999999)"),
    ],
)
def test_what_a_text_mentions(text, members, teams, plain):
    assert mentioning.named_in(text) == mentioning.Named(members, teams)
    assert mentioning.plain(text) == plain


def test_a_text_is_shown_escaped():
    assert mentioning.as_html("<b> @[<i>Bob](member:7)") == ('&lt;b&gt; <span class="mention">@&lt;i&gt;Bob</span>')


@pytest.mark.parametrize(
    ("kind", "type_", "facts"),
    [
        ("contacts", "contacts.mentioned_on_contact", {"contact": "Mia Lind"}),
        ("companies", "contacts.mentioned_on_company", {"company": "Fjordline Logistics"}),
        ("deals", "deals.mentioned", {"deal": "Nordic Oak 2027"}),
        ("tickets", "tickets.mentioned", {"ticket": "Label printer offline"}),
        ("tasks", "tasks.mentioned", {"task": "Send the revised offer"}),
        ("leads", "custom_objects.mentioned", {"record": "Hofmann Bakeries", "kind": "Lead"}),
    ],
)
@pytest.mark.req("N-068", "N-069", "N-081", "N-140", "N-145")
def test_who_is_mentioned_is_told_in_the_words_of_the_kind(make, told, alice, bob, kind, type_, facts):
    record = make(kind)
    note = write(record, f"{mentioning.token(bob)}, legal wants a week.", alice)

    url = f"/1001/{kind}/{record.pk}/activities/{note.pk}/"
    assert told() == [(type_, [bob.pk], {"actor": "Alice", "excerpt": "@Bob, legal wants a week.", "url": url} | facts)]


@pytest.mark.req("N-072")
def test_a_mention_on_a_custom_object_is_told(make, told, alice, bob):
    defining.define_kind(alice.account, key="leases", label="Lease", plural="Leases", by=alice)
    write(make("leases", name="Lease 2026-118"), mentioning.token(bob), alice)

    ((audience, data),) = told("custom_objects.mentioned")
    assert audience == [bob.pk]
    assert (data["record"], data["kind"]) == ("Lease 2026-118", "Lease")


def test_only_the_first_time_in_a_text_is_told(deal, told, alice, bob, carol):
    note = write(deal, mentioning.token(bob), alice)
    activities.edit(note, text=f"{mentioning.token(bob)} {mentioning.token(bob)} again", by=alice)
    assert len(told("deals.mentioned")) == 1

    activities.edit(note, text=f"{mentioning.token(bob)} and {mentioning.token(carol)}", by=alice)
    assert [audience for audience, _data in told("deals.mentioned")] == [[bob.pk], [carol.pk]]

    activities.edit(note, text="nobody", by=alice)
    activities.edit(note, text=mentioning.token(bob), by=alice)
    assert len(told("deals.mentioned")) == 2


def test_a_team_is_its_members_each_once(deal, told, alice, bob, carol, dora, team):
    dora.extra_teams.add(team)
    write(deal, f"{mentioning.token(team)}, and you, {mentioning.token(bob)}", alice)

    ((audience, _data),) = told("deals.mentioned")
    assert sorted(audience) == sorted([bob.pk, dora.pk])
    assert dict(Mention.objects.values_list("member", "team")) == {bob.pk: None, dora.pk: team.pk}


@pytest.mark.parametrize(
    ("case", "why"), [("oneself", "self"), ("api", "api"), ("deactivated", "inactive"), ("hidden", "may_not_see")]
)
def test_who_is_not_told_of_a_mention_and_why(deal, told, alice, bob, case, why):
    author, source = (bob, Source.PAGE) if case == "oneself" else (alice, Source.PAGE)
    if case == "api":
        source = Source.API
    if case == "deactivated":
        bob.is_active = False
        bob.save()
    if case == "hidden":
        permissions.set_reach(bob, "deals", sees="own", edits="own", by=alice)

    write(deal, mentioning.token(bob), author, source=source)

    assert told() == []
    assert Mention.objects.get().untold == why


def test_members_of_another_account_are_only_text(deal, told, alice, mallory):
    write(deal, mentioning.token(mallory), alice)

    assert told() == []
    assert not Mention.objects.exists()


# --- Comments


@pytest.mark.req("N-062", "N-097")
def test_a_comment_is_told_to_who_takes_part_but_not_to_its_author(deal, told, alice, bob, carol, dora):
    call = activities.log(deal, kind="call", subject="Renewal", text=f"with {mentioning.token(carol)}", by=alice)
    activities.comment(call, text="They agreed.", by=bob)
    latest = activities.comment(call, text="Good!", by=dora)

    first, second = told("comments.activity_commented")
    assert sorted(first[0]) == sorted([alice.pk, carol.pk])
    assert sorted(second[0]) == sorted([alice.pk, bob.pk, carol.pk])
    assert second[1] == {
        "actor": "Dora",
        "activity": "Call: Renewal",
        "excerpt": "Good!",
        "url": f"/1001/deals/{deal.pk}/activities/{call.pk}/#comment-{latest.pk}",
    }


@pytest.mark.req("N-063", "N-094")
def test_who_is_mentioned_in_a_comment_hears_of_that_and_not_twice(deal, told, alice, bob):
    note = write(deal, "The data sheet is ready", bob)
    activities.comment(note, text=f"{mentioning.token(bob)}, please send it", by=alice)

    assert told("comments.activity_commented") == []
    ((audience, data),) = told("comments.mentioned")
    assert (audience, data["activity"]) == ([bob.pk], "The data sheet is ready")


def test_a_comment_on_a_comment_stands_below_the_same_activity(deal, alice, bob):
    note = write(deal, "Start", alice)
    first = activities.comment(note, text="One", by=bob)

    assert activities.comment(first, text="Two", by=alice).parent == note


# --- Logged activities


@pytest.mark.req("N-108")
def test_an_activity_is_told_to_the_owner_of_the_record(make, told, alice, bob):
    company = make("companies", owner=bob.pk)
    meeting = activities.log(company, kind="meeting", subject="Walk through the warehouse", text="Long.", by=alice)
    activities.log(company, kind="note", text="mine", by=bob)

    assert told() == [
        (
            "general.activity_logged",
            [bob.pk],
            {
                "actor": "Alice",
                "record": "Fjordline Logistics",
                "activity": "Meeting: Walk through the warehouse",
                "url": f"/1001/companies/{company.pk}/activities/{meeting.pk}/",
            },
        )
    ]


@pytest.mark.parametrize(
    ("given", "fields"),
    [
        ({"kind": "note", "text": " "}, {"text"}),
        ({"kind": "comment", "text": "x"}, {"kind"}),
        ({"kind": "dance", "text": "x"}, {"kind"}),
        ({"kind": "note", "text": "x" * 70_000}, {"text"}),
        ({"kind": "call", "text": "x", "subject": "y" * 300}, {"subject"}),
        ({"kind": "note", "text": "nul\0"}, {"text"}),
    ],
)
def test_what_cannot_be_written_is_refused(deal, alice, given, fields):
    with pytest.raises(activities.InvalidActivity) as refused:
        activities.log(deal, by=alice, **given)

    assert set(refused.value.fields) == fields
    assert not Activity.objects.exists()


def test_only_the_author_and_super_admins_change_a_text(deal, alice, bob, carol):
    note = write(deal, "mine", bob)
    with pytest.raises(activities.NotTheAuthor):
        activities.edit(note, text="yours", by=carol)
    with pytest.raises(activities.NotTheAuthor):
        activities.delete(note, by=carol)

    activities.comment(note, text="and mine", by=carol)
    activities.delete(note, by=alice)
    assert not Activity.objects.live().exists()
