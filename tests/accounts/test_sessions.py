"""Where one is signed in, and ending it there."""

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from tests.factories import PASSWORD


def signed_in(email: str) -> Client:
    client = Client(REMOTE_ADDR="127.0.0.1", HTTP_USER_AGENT="Test")
    client.post(reverse("account_login"), {"login": email, "password": PASSWORD})
    return client


@pytest.fixture
def browser(bob):
    return signed_in(bob.email)


@pytest.fixture
def phone(bob):
    return signed_in(bob.email)


def test_ending_a_session_signs_out_there_and_nowhere_else(browser, phone, bob):
    row = UserSession.objects.get(session_key=phone.session.session_key)

    assert browser.post(reverse("accounts:end_session", args=[row.pk])).status_code == 302

    assert phone.get("/1001/").status_code == 302  # to the sign-in page
    assert browser.get("/1001/").status_code == 200


def test_another_persons_session_is_not_there(browser, carol):
    signed_in(carol.email)
    row = UserSession.objects.get(user=carol.user)

    assert browser.post(reverse("accounts:end_session", args=[row.pk])).status_code == 404
    assert UserSession.objects.filter(pk=row.pk).exists()


def test_a_link_alone_ends_nothing(browser, phone):
    row = UserSession.objects.get(session_key=phone.session.session_key)

    assert browser.get(reverse("accounts:end_session", args=[row.pk])).status_code == 405


CLEAR = "/1001/settings/notifications/desktop/clear/"
DESKTOP = "/1001/settings/notifications/desktop/"


@pytest.mark.parametrize(
    ("referer", "way_back"),
    [
        (f"http://testserver{DESKTOP}?q=deal#top", f"{DESKTOP}?q=deal"),
        ("https://elsewhere.example/1001/", "/1001/"),
        ("http://testserver//elsewhere.example/", "/1001/"),
        ("", "/1001/"),
    ],
)
def test_a_click_after_the_session_ended_leads_back_to_its_page_and_says_it_was_not_done(
    client, bob, referer, way_back
):
    page = client.post(CLEAR, headers={"referer": referer}, follow=True)

    assert "your last click did nothing" in page.content.decode()
    assert f'name="next" value="{way_back}"' in page.content.decode()

    signed_in_now = client.post(
        reverse("account_login"), {"login": bob.email, "password": PASSWORD, "next": way_back}, follow=True
    )
    assert signed_in_now.status_code == 200


def test_a_click_by_htmx_after_the_session_ended_opens_sign_in_as_a_page(client, bob):
    answer = client.post(CLEAR, headers={"hx-request": "true", "referer": f"http://testserver{DESKTOP}"})

    assert answer["HX-Redirect"].startswith(reverse("account_login"))


def test_a_page_asked_for_after_the_session_ended_is_asked_for_again(client, bob):
    answer = client.get(DESKTOP)

    assert answer["Location"] == f"{reverse('account_login')}?next={DESKTOP}"


def test_an_address_of_a_button_opened_as_a_page_says_so_and_leads_on(browser):
    page = browser.get(CLEAR)

    assert (page.status_code, page["Allow"]) == (405, "POST")
    assert "There is no page here" in page.content.decode()
    assert 'href="/"' in page.content.decode()
