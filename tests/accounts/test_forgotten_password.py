"""A forgotten password is replaced by way of a mail, and a stranger learns nothing on the way."""

import re

import pytest
from django.core import mail
from django.test import Client

from accounts.models import Membership

NEW = "another horse, another battery"


def ask(client: Client, email: str) -> str:
    answer = client.post("/accounts/password/reset/", {"email": email}, follow=True)
    assert answer.status_code == 200
    return answer.content.decode()


def test_the_link_in_the_mail_sets_a_new_password_once(client: Client, alice: Membership) -> None:
    ask(client, alice.email)
    sent = mail.outbox[0]
    assert sent.to == [alice.email]
    assert sent.subject == "Choose a new password for Bellhop"
    found = re.search(r"https?://testserver(\S+)", str(sent.body))
    assert found

    form = client.get(found[1], follow=True)
    done = client.post(form.request["PATH_INFO"], {"password1": NEW, "password2": NEW}, follow=True)
    assert "Your password is changed" in done.content.decode()
    assert Client().login(email=alice.email, password=NEW)

    again = Client().get(found[1], follow=True).content.decode()
    assert "This link no longer works" in again


@pytest.mark.django_db
def test_an_unknown_address_gets_the_same_answer_and_no_mail(client: Client, alice: Membership) -> None:
    known = ask(client, alice.email)
    mail.outbox.clear()

    assert ask(client, "nobody@example.com") == known
    assert mail.outbox == []
