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
