"""The frame around pages: who is signed in, where, and where else they could be."""

import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from accounts.context import shell
from accounts.models import Account, Membership
from tests import factories


@pytest.fixture
def client_of_alice(client: Client, alice: Membership) -> Client:
    client.force_login(alice.user)
    return client


def test_the_header_offers_my_other_accounts_and_nobody_elses(
    client_of_alice: Client, alice: Membership, mallory: Membership
) -> None:
    second = factories.account(hub_id=3003, name="Third Shore")
    factories.member(second, "alice")

    page = client_of_alice.get("/accounts/sessions/").content.decode()

    assert 'href="/1001/"' in page
    assert 'href="/3003/"' in page
    assert mallory.account.name not in page


def test_a_page_outside_accounts_speaks_of_the_one_used_last(client_of_alice: Client, alice: Membership) -> None:
    factories.member(factories.account(hub_id=3003, name="Third Shore"), "alice")
    client_of_alice.get("/3003/")

    page = client_of_alice.get("/accounts/sessions/").content.decode()

    assert 'data-hub="3003"' in page


def test_an_account_one_has_left_is_not_offered(client_of_alice: Client, alice: Membership) -> None:
    left = factories.account(hub_id=3003, name="Third Shore")
    factories.member(left, "alice", is_active=False)

    assert "Third Shore" not in client_of_alice.get("/accounts/sessions/").content.decode()


def test_the_header_costs_one_query_and_none_where_nobody_looks(
    client_of_alice: Client,
    alice: Membership,
    account: Account,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    request = client_of_alice.get("/accounts/sessions/").wsgi_request
    request.session.get("anything")
    str(request.user)
    with django_assert_num_queries(0):
        seen = shell(request)
    with django_assert_num_queries(1):
        assert seen["here"] == alice
        assert [one.account for one in seen["switchable"]] == [account]  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path",
    ["login/", "password/reset/", "password/reset/done/", "password/reset/key/1-set-password/", "signup/"],
)
def test_a_stranger_sees_the_entrance(client: Client, path: str) -> None:
    answer = client.get(f"/accounts/{path}")
    assert answer.status_code == 200
    assert "entrance__card" in answer.content.decode()


@pytest.mark.parametrize("path", ["email/", "password/change/", "2fa/", "sessions/"])
def test_pages_about_ones_own_sign_in_stand_among_the_settings(client_of_alice: Client, path: str) -> None:
    answer = client_of_alice.get(f"/accounts/{path}")
    assert answer.status_code == 200
    assert 'class="sidebar"' in answer.content.decode()
