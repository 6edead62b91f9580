"""Settings › Records: what super admins define, page by page; others look, or are refused in words."""

import re
from functools import partial

import pytest
from django.test import Client

from crm import defining, permissions, records, schema, stages
from crm.models import CustomKind, CustomProperty, Pipeline, Record, RecordPermission, Stage
from tests.crm.conftest import at_once

BASE = "/1001/settings/records/"
DEALS = f"{BASE}deals/"
LONG = "x" * 10_000


@pytest.fixture
def admin(signed_in, alice):
    return signed_in(alice)


@pytest.fixture
def sales(alice):
    return stages.pipelines_of(alice.account, schema.kind_of(alice.account, "deals"))[0]


@pytest.fixture
def tier(alice):
    choices = [("gold", "Gold"), ("silver", "Silver"), ("tin", "Tin")]
    return defining.define_property(
        alice.account, "deals", key="tier", label="Tier", type="choice", choices=choices, by=alice
    )


def text(answer):
    return answer.content.decode()


def test_a_kind_of_ones_own_is_made_and_renamed(admin):
    made = admin.post(BASE, {"label": "Berth", "plural": "Berths", "key": ""})

    assert made["Location"] == f"{BASE}objects/berths/"
    admin.post(made["Location"], {"label": "Mooring", "plural": "مراسي 🦊"})
    assert CustomKind.objects.get().plural == "مراسي 🦊"
    page = text(admin.get(BASE))
    assert "مراسي 🦊" in page
    assert f'href="{BASE}objects/berths/"' in page


def test_a_kind_that_cannot_be_keeps_every_word_beside_what_is_wrong(admin):
    answer = admin.post(BASE, {"label": LONG, "plural": "שלום", "key": "Deals & Co"})

    assert answer.status_code == 422
    assert LONG in text(answer)
    assert "This is 10000 characters long; at most 80 fit." in text(answer)
    assert 'value="Deals &amp; Co"' in text(answer)
    assert "Use lower-case letters and digits" in text(answer)
    assert not CustomKind.objects.exists()


def test_a_property_is_added_with_its_choices(admin):
    answer = admin.post(
        f"{DEALS}properties/new/", {"label": "Size", "type": "choice", "choices": "Small\r\n\r\nLarge\r\n", "key": ""}
    )

    assert answer["Location"] == DEALS
    row = CustomProperty.objects.get()
    assert (row.key, row.choices) == ("size", [["small", "Small"], ["large", "Large"]])
    page = text(admin.get(DEALS))
    assert "Size" in page
    assert "Built in" in page


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"label": LONG}, "This is 10000 characters long"),
        ({"label": "a\0b"}, "Nothing|text|character"),
        ({"type": "pony"}, "There is no such type."),
        ({"key": "amount"}, "This name is taken."),
        ({"type": "choice", "choices": "A\nB\na"}, "Two choices have the same name."),
        ({"type": "choice", "choices": ""}, "Write at least one choice"),
    ],
)
def test_a_property_that_cannot_be_loses_nothing(admin, given, said):
    written = {"label": "🦊 Größe", "type": "text", "choices": "مرحبا", "key": "size"} | given
    answer = admin.post(f"{DEALS}properties/new/", written)

    assert answer.status_code == 422
    assert re.search(said, text(answer))
    assert "errorlist" in text(answer)
    for kept in (written["key"], *(value for value in (written["label"],) if "\0" not in value)):
        assert kept in text(answer)
    assert not CustomProperty.objects.exists()


def test_choices_are_renamed_moved_added_and_taken_away_in_one_form(admin, tier):
    url = f"{DEALS}properties/{tier.pk}/"
    form = {"label": "Level", "choice": ["gold", "silver", "tin"], "name": ["Best", "Silver", "Tin"], "add": ""}

    assert admin.post(url, form | {"verb": "down:gold"})["Location"] == f"{url}?moved=gold.down"
    admin.post(url, form | {"verb": "remove:tin", "add": "Bronze"})

    tier.refresh_from_db()
    assert tier.label == "Level"
    assert tier.choices == [["gold", "Best"], ["silver", "Silver"], ["bronze", "Bronze"]]
    page = text(admin.get(url, {"moved": "bronze.down"}))
    assert re.search(r'aria-label="Move Bronze up" autofocus', page)  # the other way is at its end


def test_a_choice_that_records_hold_stays_with_a_link_to_them(admin, tier, made):
    made("deals", tier="tin")
    url = f"{DEALS}properties/{tier.pk}/"
    form = {"label": "Tier", "choice": ["gold", "silver", "tin"], "name": ["Best", "Silver", "Tin"], "add": "New"}

    answer = admin.post(url, form | {"verb": "remove:tin"})

    assert answer.status_code == 422
    assert "Records hold the choice “Tin”." in text(answer)
    assert 'href="/1001/deals/?is.tier=tin"' in text(answer)
    assert 'value="Best"' in text(answer)  # nothing is lost
    assert 'value="New"' in text(answer)
    tier.refresh_from_db()
    assert [name for _key, name in tier.choices] == ["Gold", "Silver", "Tin"]


def test_what_another_super_admin_added_meanwhile_stays(admin, tier, alice):
    defining.change_property(tier, choices=[*tier.choices, ("", "Bronze")], by=alice)

    form = {"label": "Tier", "choice": ["gold", "silver", "tin"], "name": ["Gold", "Silver", "Zinc"], "add": ""}
    admin.post(f"{DEALS}properties/{tier.pk}/", form)

    tier.refresh_from_db()
    assert [name for _key, name in tier.choices] == ["Gold", "Silver", "Zinc", "Bronze"]


def test_a_property_is_archived_and_brought_back(admin, tier, made):
    deal = made("deals", tier="gold")
    url = f"{DEALS}properties/{tier.pk}/archive/"

    assert "Its values are kept" in text(admin.post(url, {"verb": "archive"}, follow=True))
    assert "Tier" not in text(admin.get(f"/1001/deals/{deal.pk}/"))
    assert "Bring back" in text(admin.get(DEALS))
    admin.post(url, {"verb": "back"})

    assert "Gold" in text(admin.get(f"/1001/deals/{deal.pk}/"))


def test_properties_and_stages_are_moved_with_buttons(admin, alice, tier, sales):
    size = defining.define_property(alice.account, "deals", key="size", label="Size", type="text", by=alice)
    moved = admin.post(f"{DEALS}properties/{size.pk}/move/", {"to": "up.0"})
    assert moved["Location"] == f"{DEALS}?moved={size.pk}.up"
    assert re.search(r'aria-label="Move Size down" autofocus', text(admin.get(moved["Location"])))
    assert [one.key for one in CustomProperty.objects.all()] == ["size", "tier"]

    first = sales.stages.first()
    for to in ("down.1", "down.x", "", "down.99999"):  # what makes no sense moves nothing
        admin.post(f"{DEALS}stages/{first.pk}/move/", {"to": to})
    assert [stage.name for stage in Stage.objects.filter(pipeline=sales)][:2] == ["Meeting held", "Qualified"]


def test_a_pipeline_is_added_renamed_and_taken_away(admin):
    page = admin.post(f"{DEALS}pipelines/new/", {"name": "Renewals"})["Location"]
    refused = admin.post(page, {"name": "Sales"})
    assert refused.status_code == 422
    assert "Choose a name that is not there yet." in text(refused)
    admin.post(page, {"name": "  Contracts "})
    assert Pipeline.objects.filter(name="Contracts").exists()
    admin.post(f"{page}remove/")

    assert not Pipeline.objects.filter(name="Contracts").exists()
    assert admin.get(f"{BASE}contacts/pipelines/new/").status_code == 404


def test_a_stage_is_added_changed_and_taken_away(admin, sales):
    page = f"{DEALS}pipelines/{sales.pk}/"
    refused = admin.post(f"{page}stages/", {"name": LONG, "outcome": "won"})
    assert refused.status_code == 422
    assert LONG in text(refused)
    assert re.search(r'<option value="won" selected', text(refused))
    admin.post(f"{page}stages/", {"name": "انتظار", "outcome": "open"})
    stage = Stage.objects.get(name="انتظار")

    assert admin.post(f"{DEALS}stages/{stage.pk}/", {"name": "Won", "outcome": "open"}).status_code == 422
    admin.post(f"{DEALS}stages/{stage.pk}/", {"name": "Waiting 🦊", "outcome": "lost"})
    stage.refresh_from_db()
    assert (stage.name, stage.outcome) == ("Waiting 🦊", "lost")
    admin.post(f"{DEALS}stages/{stage.pk}/remove/")
    assert admin.get(f"{DEALS}stages/{stage.pk}/").status_code == 404


@pytest.mark.parametrize("is_in_bin", [False, True])
def test_a_stage_in_which_records_stand_stays_with_a_link_to_them(admin, made, alice, is_in_bin):
    deal = made("deals")
    if is_in_bin:
        records.delete(deal, by=alice)

    answer = admin.post(f"{DEALS}stages/{deal.stage_id}/remove/")

    assert answer.status_code == 409
    assert "“Qualified”" in text(answer)
    link = "/1001/deals/bin/" if is_in_bin else f"/1001/deals/?stage={deal.stage_id}"
    assert f'href="{link}"' in text(answer)
    assert admin.post(f"{DEALS}pipelines/{deal.stage.pipeline_id}/remove/").status_code == 409
    assert Stage.objects.filter(pk=deal.stage_id).exists()


@pytest.mark.django_db(transaction=True)
def test_a_stage_that_goes_while_a_deal_is_moved_into_it(made, sales, alice, bob):
    deal, target = made("deals"), sales.stages.get(name="Offer made")
    mover, remover = Client(), Client()
    mover.force_login(bob.user)
    remover.force_login(alice.user)

    moved, removed = at_once(
        partial(mover.post, f"/1001/deals/{deal.pk}/move/", {"to": target.pk, "stage": target.pk, "version": 1}),
        partial(remover.post, f"{DEALS}stages/{target.pk}/remove/"),
    )

    deal.refresh_from_db()
    is_there = Stage.objects.filter(pk=target.pk).exists()
    assert is_there == (deal.stage_id == target.pk)  # whoever was first won; nothing hangs in the air
    assert removed.status_code == (409 if is_there else 302)
    assert moved.status_code < 500


def test_members_look_and_are_refused_in_words(signed_in, bob, tier, sales):
    browser = signed_in(bob)
    stage = sales.stages.first()

    for page in (BASE, DEALS, f"{DEALS}properties/{tier.pk}/", f"{DEALS}stages/{stage.pk}/", f"{DEALS}access/"):
        answer = browser.get(page)
        assert answer.status_code == 200
        assert "you may look" in text(answer)
        assert '<button class="button button--primary"' not in text(answer)
    for page in (BASE, DEALS, f"{DEALS}properties/{tier.pk}/archive/", f"{DEALS}access/{bob.pk}/"):
        answer = browser.post(page, {"label": "x", "plural": "y", "sees": "all", "edits": "all"})
        assert answer.status_code == 403
        assert "Only a super admin of the account can change this." in text(answer)
    tier.refresh_from_db()
    assert tier.archived_at is None
    assert not RecordPermission.objects.exists()


def test_the_address_of_a_refused_form_leads_back_when_it_is_opened(admin, made):
    deal = made("deals")

    assert admin.get(f"{DEALS}stages/{deal.stage_id}/remove/")["Location"] == DEALS
    assert admin.put(f"{DEALS}stages/{deal.stage_id}/remove/").status_code == 405


def test_what_belongs_to_another_kind_is_not_there(admin, tier, sales):
    assert admin.get(f"{BASE}tickets/properties/{tier.pk}/").status_code == 404
    assert admin.get(f"{BASE}tickets/pipelines/{sales.pk}/").status_code == 404
    assert admin.get(f"{BASE}objects/nothing/").status_code == 404


def test_super_admins_say_what_a_member_sees(admin, bob, carol):
    url = f"{DEALS}access/"
    admin.post(f"{url}{bob.pk}/", {"sees": "team", "edits": "own", "q": "bob"})
    assert permissions.reach_of(bob, "deals") == ("team", "own")
    assert permissions.reach_of(bob, "tickets") == ("all", "all")

    refused = admin.post(f"{url}{carol.pk}/", {"sees": "own", "edits": "all"})
    assert refused.status_code == 422
    assert "A member cannot edit what they do not see." in text(refused)
    assert "Choose no more than they see." in text(refused)
    assert not RecordPermission.objects.filter(member=carol).exists()

    assert "carol@" not in text(admin.get(url, {"limited": "on"}))
    assert "bob@" in text(admin.get(url, {"limited": "on"}))
    assert "bob@" not in text(admin.get(url, {"q": "car"}))
    assert "Super admins see and edit all." in text(admin.get(url))
    assert "1 member is limited." in text(admin.get(DEALS))


def test_a_member_sees_only_their_own_access(signed_in, alice, bob, carol):
    permissions.set_reach(bob, "deals", sees="team", edits="own", by=alice)

    page = text(signed_in(bob).get(f"{DEALS}access/"))

    assert "Sees: Their team’s. Edits: Their own." in page.replace("&#x27;", "’")
    assert "carol@" not in page


def test_a_property_that_names_a_member_says_that_it_assigns(admin, alice):
    defining.define_property(alice.account, "deals", label="Advisor", type="user", by=alice)

    assert "hears of it like an owner" in text(admin.get(DEALS))
    assert not Record.objects.exists()
