"""The admin: who may enter, what they see there, and what they can do."""

import re

import pytest
from django.contrib import admin
from django.core import mail
from django.test import Client
from django.urls import NoReverseMatch, reverse

from accounts import api_keys
from accounts.models import Account, ApiKey, Membership, Role, Team, User
from tests import factories


def signed_in(person) -> Client:
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def operator(db):
    return factories.user("olga", is_superuser=True)


@pytest.fixture
def as_operator(operator):
    return signed_in(operator)


@pytest.fixture
def as_alice(alice):
    return signed_in(alice.user)


def address(model, page, *given):
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_{page}", args=given)


def test_strangers_sign_in_where_everybody_does(client, db):
    for path in ("/admin/", "/admin/login/?next=/admin/", "/admin/accounts/team/"):
        answer = client.get(path, follow=True)
        assert answer.redirect_chain[-1][0].startswith("/accounts/login/?next=/admin/")
        assert "accounts/login" in answer.request["PATH_INFO"]


def test_an_ordinary_member_finds_no_admin(bob):
    client = signed_in(bob.user)
    for path in ("/admin/", "/admin/login/", "/admin/accounts/team/", "/admin/accounts/team/1/change/"):
        assert client.get(path).status_code == 404


def test_a_super_admin_elsewhere_deactivated_finds_no_admin(alice, as_alice):
    assert as_alice.get("/admin/").status_code == 200
    Membership.objects.update(is_active=False)
    assert as_alice.get("/admin/").status_code == 404


def test_the_first_page_lists_only_what_one_may_open(as_alice, as_operator):
    assert "/admin/accounts/user/" in as_operator.get("/admin/").content.decode()
    page = as_alice.get("/admin/").content.decode()
    assert "/admin/accounts/membership/" in page
    assert "/admin/accounts/user/" not in page
    assert "celery" not in page.lower()


def test_the_operator_sees_all_accounts(as_operator, account, next_door, alice, mallory):
    page = as_operator.get(address(Account, "changelist")).content.decode()
    assert account.name in page
    assert next_door.name in page
    for member in (alice, mallory):
        assert as_operator.get(address(Membership, "change", member.pk)).status_code == 200


def test_every_list_and_address_is_the_super_admins_own_account(as_alice, account, next_door, alice, bob, mallory):
    theirs = Team.objects.create(account=next_door, name="Secret team")
    key, _shown = api_keys.make(next_door, name="Secret key", scopes=["events.write"], by=mallory)
    for row in (theirs, key, mallory, next_door):
        model = type(row)
        listed = as_alice.get(address(model, "changelist"), follow=True).content.decode()
        assert next_door.name not in listed
        assert "Secret" not in listed
        for page in ("change", "history", "delete"):
            foreign = as_alice.get(address(model, page, row.pk))
            missing = as_alice.get(address(model, page, 999_999_999))
            assert foreign.status_code == missing.status_code
            assert foreign.status_code in ((404, 403) if page == "delete" else (404,))


def test_every_registered_model_is_scoped_or_closed(as_alice, next_door, mallory):
    """Whatever is registered, now or later: a super admin's list shows nothing of next door."""
    for model in admin.site._registry:
        answer = as_alice.get(address(model, "changelist"), follow=True)
        assert answer.status_code in (200, 403), model
        if answer.status_code == 200:
            assert next_door.name not in answer.content.decode(), model
            assert mallory.email not in answer.content.decode(), model


def test_no_form_of_any_model_offers_anything_of_next_door(as_alice, next_door, mallory):
    Team.objects.create(account=next_door, name="Secret team")
    for model in admin.site._registry:
        try:
            path = address(model, "add")
        except NoReverseMatch:
            continue
        page = as_alice.get(path)
        assert page.status_code in (200, 403), model
        for secret in ("Secret", next_door.name, mallory.email):
            assert secret not in page.content.decode(), model


def test_choices_come_from_the_same_account(as_alice, account, next_door, bob):
    Team.objects.create(account=account, name="Ours")
    theirs = Team.objects.create(account=next_door, name="Theirs")
    page = as_alice.get(address(Membership, "change", bob.pk)).content.decode()
    assert "Ours" in page
    assert "Theirs" not in page

    as_alice.post(address(Membership, "change", bob.pk), member_form(bob, primary_team=theirs.pk))
    bob.refresh_from_db()
    assert bob.primary_team != theirs


def test_a_super_admin_of_two_accounts_is_asked_which(account, next_door, alice):
    factories.member(next_door, "alice", role=Role.SUPER_ADMIN)
    theirs = Team.objects.create(account=next_door, name="Theirs")
    client = signed_in(alice.user)
    asked = client.get(address(Team, "add"))
    assert account.name in asked.content.decode()
    assert next_door.name in asked.content.decode()

    client.post(address(Team, "add") + f"?account={account.pk}", {"name": "New"})
    assert Team.objects.get(name="New").account == account
    page = client.get(address(Membership, "change", alice.pk)).content.decode()
    assert theirs.name not in page
    listed = client.get(address(Team, "changelist") + f"?account={account.pk}").content.decode()
    assert "New" in listed
    assert "Theirs" not in listed


def test_an_account_that_is_not_yours_cannot_be_asked_for(as_alice, next_door):
    assert as_alice.get(address(Team, "add") + f"?account={next_door.pk}").status_code == 404


def test_looking_through_another_tables_columns_is_refused(as_alice, bob):
    answer = as_alice.get(address(Membership, "changelist") + "?user__password__startswith=argon")
    assert answer.status_code in (302, 400)


def test_autocomplete_gives_nothing_of_next_door(as_alice, next_door, bob, mallory):
    Team.objects.create(account=next_door, name="Theirs")
    base = reverse("admin:autocomplete")
    for field in ("primary_team", "user", "account"):
        answer = as_alice.get(base, {"app_label": "accounts", "model_name": "membership", "field_name": field})
        assert answer.status_code in (200, 403, 404)
        text = answer.content.decode()
        assert "Theirs" not in text
        assert mallory.email not in text
        assert next_door.name not in text


def member_form(member, **given):
    return {
        "role": member.role,
        "permissions": member.permissions,
        "seat": member.seat,
        "primary_team": member.primary_team_id or "",
        "time_zone": "",
        "language": "",
        "availability": "available",
    } | given


def test_a_new_person_is_invited_and_chooses_a_password(as_alice, account, alice, client):
    answer = as_alice.post(
        address(Membership, "add"),
        {"email": "New.Person@Example.com", "name": "Nina New", "role": "member", "seat": "free",
         "permissions": ["forms"], "time_zone": "Europe/Oslo", "language": "", "availability": "available"},
    )  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    member = Membership.objects.get(user__email="new.person@example.com")
    assert (member.account, member.permissions, member.time_zone) == (account, ["forms"], "Europe/Oslo")


@pytest.mark.django_db(transaction=True)
def test_the_invitation_leads_to_choosing_a_password(as_alice, client):
    as_alice.post(
        address(Membership, "add"),
        {
            "email": "nina@example.com",
            "name": "Nina New",
            "role": "member",
            "seat": "free",
            "availability": "available",
        },
    )
    (letter,) = mail.outbox
    assert letter.to == ["nina@example.com"]
    assert "Alice added you to Nordic Oak" in letter.body
    link = re.search(r"https?://[^/]+(/accounts/password/reset/key/\S+)", letter.body)[1]
    page = client.get(link, follow=True)
    assert page.status_code == 200
    client.post(page.request["PATH_INFO"], {"password1": "a new long pass 93", "password2": "a new long pass 93"})
    assert User.objects.get(email="nina@example.com").check_password("a new long pass 93")


def test_inviting_a_member_again_is_refused_in_words(as_alice, bob):
    answer = as_alice.post(
        address(Membership, "add"),
        {"email": bob.email.upper(), "role": "member", "seat": "free", "availability": "available"},
    )
    assert "is a member already" in answer.content.decode()


def test_inviting_somebody_from_next_door_leaves_their_name_and_password(as_alice, account, mallory):
    before = mallory.user.password
    as_alice.post(
        address(Membership, "add"),
        {"email": mallory.email, "name": "Renamed", "role": "member", "seat": "free", "availability": "available"},
    )
    mallory.user.refresh_from_db()
    assert (mallory.user.name, mallory.user.password) == ("Mallory", before)
    assert Membership.objects.filter(account=account, user=mallory.user).exists()


def test_a_member_is_changed(as_alice, account, bob):
    service = Team.objects.create(account=account, name="Service")
    answer = as_alice.post(
        address(Membership, "change", bob.pk),
        member_form(bob, permissions=["forms"], extra_teams=[service.pk], seat="paid"),
    )
    assert answer.status_code == 302
    bob.refresh_from_db()
    assert (bob.permissions, bob.seat, list(bob.extra_teams.all())) == (["forms"], "paid", [service])


def test_the_last_super_admin_stays(as_alice, as_operator, alice, bob):
    page = as_alice.post(address(Membership, "change", alice.pk), member_form(alice, role="member"))
    assert "This is the last super admin" in page.content.decode()
    chosen = {"action": "deactivate", "_selected_action": [alice.pk]}
    for client in (as_alice, as_operator):
        page = client.post(address(Membership, "changelist"), chosen, follow=True)
        assert "is the last super admin of Nordic Oak" in page.content.decode()
    page = as_operator.post(
        address(User, "changelist"), {"action": "bar", "_selected_action": [alice.user.pk]}, follow=True
    )
    assert "is the last super admin of Nordic Oak" in page.content.decode()
    alice.refresh_from_db()
    assert alice.is_active
    assert alice.is_super_admin


def test_a_member_is_deactivated_and_comes_back(as_alice, bob):
    theirs = signed_in(bob.user)
    assert theirs.get("/1001/").status_code == 200
    as_alice.post(address(Membership, "changelist"), {"action": "deactivate", "_selected_action": [bob.pk]})
    assert theirs.get("/1001/").status_code == 404
    as_alice.post(address(Membership, "changelist"), {"action": "activate", "_selected_action": [bob.pk]})
    assert theirs.get("/1001/").status_code == 200


def test_an_action_on_a_row_of_next_door_does_nothing(as_alice, mallory):
    as_alice.post(address(Membership, "changelist"), {"action": "deactivate", "_selected_action": [mallory.pk]})
    mallory.refresh_from_db()
    assert mallory.is_active


def test_a_key_is_shown_once_and_its_digest_never(as_alice, account):
    made = as_alice.post(address(ApiKey, "add"), {"name": "Import", "scopes": ["events.write"]})
    key = re.search(r"bh_[\w-]{43}", made.content.decode())[0]
    assert api_keys.recognise(key).account == account
    assert "no-store" in made["Cache-Control"]

    row = ApiKey.objects.get()
    for path in (address(ApiKey, "changelist"), address(ApiKey, "change", row.pk), address(ApiKey, "history", row.pk)):
        page = as_alice.get(path).content.decode()
        assert key not in page
        assert row.digest not in page
    as_alice.post(address(ApiKey, "changelist"), {"action": "revoke", "_selected_action": [row.pk]})
    assert api_keys.recognise(key) is None


def test_a_super_admin_edits_what_is_theirs_and_not_the_plan(as_alice, account):
    answer = as_alice.post(
        address(Account, "change", account.pk),
        {"name": "Nordic Oak AB", "time_zone": "Europe/Oslo", "language": "sv", "brand_colour": "#112233",
         "plan": "free", "hub_id": 7},
    )  # fmt: skip
    assert answer.status_code == 302
    account.refresh_from_db()
    assert (account.name, account.plan, account.hub_id) == ("Nordic Oak AB", "enterprise", 1001)
    assert as_alice.get(address(Account, "add")).status_code == 403


@pytest.mark.django_db(transaction=True)
def test_the_operator_makes_an_account_with_its_first_super_admin(as_operator):
    as_operator.post(
        address(Account, "add"),
        {"hub_id": 77, "domain": "new.example", "plan": "free", "super_admin_email": "first@example.com", "name": "New",
         "time_zone": "UTC", "language": "en", "brand_colour": "#112233"},
    )  # fmt: skip
    assert Membership.objects.get(account__hub_id=77).is_super_admin
    assert mail.outbox[0].to == ["first@example.com"]


def test_the_operator_helps_a_person_back_in(as_operator, bob):
    theirs = signed_in(bob.user)
    theirs.get("/")
    as_operator.post(address(User, "changelist"), {"action": "send_password_link", "_selected_action": [bob.user.pk]})
    assert mail.outbox[0].to == [bob.email]
    as_operator.post(address(User, "changelist"), {"action": "bar", "_selected_action": [bob.user.pk]})
    assert theirs.get("/1001/").status_code in (302, 404)


def test_two_teams_of_one_name_are_refused_in_words(as_alice, account, team):
    page = as_alice.post(address(Team, "add"), {"name": team.name})
    assert page.status_code == 200
    assert "already exists" in page.content.decode()


def test_lists_take_as_many_queries_however_many_rows(as_operator, account, django_assert_max_num_queries):
    factories.members(account, 60)
    Team.objects.bulk_create(Team(account=account, name=f"Team {i}") for i in range(30))
    for model in (Account, Team, Membership, User, ApiKey):
        with django_assert_max_num_queries(10):
            as_operator.get(address(model, "changelist"))
