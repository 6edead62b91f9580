"""The way out of a mail: the page behind its link, and the one click of mail programs. No sign-in anywhere."""

import re

import pytest
from django.test import Client

from notifications import preferences, types
from notifications.mail import links
from notifications.mail.links import Purpose, Reader
from notifications.models import Lock, Preference

MOVED = types.TYPES["deals.stage_changed"]
REQUIRED = next(kind for kind in types.TYPES.values() if "email" in kind.required and not kind.for_role)


@pytest.fixture
def reader(bob):
    return Reader(bob.pk, MOVED.key)


@pytest.fixture
def stranger():
    """A browser that is signed in nowhere and whose requests are checked as a browser's are."""
    return Client(enforce_csrf_checks=True)


def path_of(url):
    return url.removeprefix("http://127.0.0.1:8000")


def is_on(member, kind=MOVED):
    (cell,) = (cell for cell in preferences.standing(member, [kind]).cells(kind) if cell.channel.key == "email")
    return cell.is_on


@pytest.mark.parametrize("method", ["get", "head"])
def test_looking_changes_nothing(bob, reader, stranger, method):
    """Programs that check links open every link of every mail."""
    answer = getattr(stranger, method)(path_of(links.unsubscribe(reader)))

    assert answer.status_code == 200
    assert is_on(bob)
    assert not Preference.objects.exists()


def test_the_page_says_what_it_is_about_and_hides_the_address(bob, reader, stranger):
    answer = stranger.get(path_of(links.unsubscribe(reader)))
    page = answer.content.decode()

    assert str(MOVED.label) in page
    assert "Nordic Oak" in page
    assert bob.email not in page
    assert "b•••@e•••.com" in page
    assert answer["X-Robots-Tag"] == "noindex, nofollow"
    assert "no-store" in answer["Cache-Control"]
    assert answer["Referrer-Policy"] == "no-referrer"
    assert '<meta name="robots" content="noindex' in page


def test_the_button_turns_this_type_off_and_nothing_else(bob, reader, stranger):
    answer = stranger.post(path_of(links.unsubscribe(reader)), {"turn": "off"})

    assert "Done: no more of these mails" in answer.content.decode()
    assert not is_on(bob)
    assert list(Preference.objects.values_list("type", "chosen", "on")) == [(MOVED.key, 4, 0)]


def test_a_browser_that_hides_where_it_comes_from_may_post(bob, reader, stranger):
    """The page sends no Referer, so its form arrives with `Origin: null`."""
    answer = stranger.post(path_of(links.unsubscribe(reader)), headers={"origin": "null"})

    assert answer.status_code == 200
    assert not is_on(bob)


def test_it_can_be_turned_back_on_at_once(bob, reader, stranger):
    url = path_of(links.unsubscribe(reader))
    assert "Turn them back on" in stranger.post(url, {"turn": "off"}).content.decode()
    answer = stranger.post(url, {"turn": "on"})

    assert "on again" in answer.content.decode()
    assert is_on(bob)
    assert Preference.objects.get().chosen == 0  # the layers below decide again, as before


def test_turning_on_says_so_when_e_mail_is_switched_off_as_a_whole(bob, reader, stranger):
    preferences.switch(bob, "email", on=False)
    answer = stranger.post(path_of(links.unsubscribe(reader)), {"turn": "on"})

    assert "switched off as a whole" in answer.content.decode()
    assert not is_on(bob)


def test_what_everybody_gets_is_explained(bob, stranger):
    url = path_of(links.unsubscribe(Reader(bob.pk, REQUIRED.key)))
    assert "cannot be turned off" in stranger.get(url).content.decode()
    answer = stranger.post(url, {"turn": "off"})

    assert answer.status_code == 409
    assert "cannot be turned off" in answer.content.decode()
    assert is_on(bob, REQUIRED)


def test_a_lock_is_explained_with_its_reason(account, bob, reader, stranger):
    Lock.objects.create(account=account, type=MOVED.key, channel="email", is_on=True, reason="Audit season")
    answer = stranger.post(path_of(links.unsubscribe(reader)), {"turn": "off"})

    assert answer.status_code == 409
    assert "Audit season" in answer.content.decode()
    assert is_on(bob)


def test_unknown_tokens_all_get_the_same_answer(bob, reader, stranger):
    good = links.token(Purpose.FOOTER, reader)
    gone = links.token(Purpose.FOOTER, Reader(10**9, MOVED.key))
    no_type = links.token(Purpose.FOOTER, Reader(bob.pk, "no.such_type"))
    for_others = links.token(Purpose.FOOTER, Reader(bob.pk, "website_visits.nothing"))
    other_purpose = links.token(Purpose.ONE_CLICK, reader)
    tampered = good.replace(str(bob.pk), str(bob.pk + 1), 1)
    pages = set()
    for token in (gone, no_type, for_others, other_purpose, tampered, good[:-1], "x", "x" * 3000, "1.a:b"):
        for method in (stranger.get, stranger.post):
            answer = method(f"/u/{token}/")
            assert answer.status_code == 404
            assert answer["Referrer-Policy"] == "no-referrer"
            pages.add(re.sub(r"\s+", " ", answer.content.decode()))
    assert len(pages) == 1
    assert is_on(bob)


def test_a_deactivated_members_link_is_as_good_as_unknown(bob, reader, stranger):
    bob.is_active = False
    bob.save()
    assert stranger.get(path_of(links.unsubscribe(reader))).status_code == 404


def test_the_one_click_of_a_mail_program_turns_it_off(bob, reader, stranger):
    answer = stranger.post(path_of(links.one_click(reader)), {"List-Unsubscribe": "One-Click"})

    assert answer.status_code == 200
    assert answer["Content-Type"].startswith("text/plain")
    assert not is_on(bob)


def test_one_click_takes_only_its_own_post(bob, reader, stranger):
    url = path_of(links.one_click(reader))
    assert stranger.get(url).status_code == 405
    assert stranger.head(url).status_code == 405
    assert stranger.post(url).status_code == 400
    assert stranger.post(url, {"List-Unsubscribe": "no"}).status_code == 400
    footer = links.token(Purpose.FOOTER, reader)
    assert stranger.post(f"/u/one-click/{footer}/", {"List-Unsubscribe": "One-Click"}).status_code == 404
    assert is_on(bob)


def test_one_click_on_what_cannot_be_turned_off_says_so(bob, stranger):
    url = path_of(links.one_click(Reader(bob.pk, REQUIRED.key)))
    assert stranger.post(url, {"List-Unsubscribe": "One-Click"}).status_code == 409


def test_every_token_depends_on_the_secret_key(reader, settings, bob, stranger):
    url = path_of(links.unsubscribe(reader))
    settings.SECRET_KEY = "another" * 10
    assert stranger.get(url).status_code == 404


def test_the_page_speaks_the_members_language(bob, reader, stranger):
    bob.language = "de"
    bob.save()
    assert '<html lang="de"' in stranger.get(path_of(links.unsubscribe(reader))).content.decode()
