"""Unusual sign-ins are told from the person's own history, and can be answered (N-112)."""

from datetime import timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from mmdb_writer import MMDBWriter
from netaddr import IPSet

from accounts import sign_ins
from accounts.models import SignIn
from accounts.sign_ins import Risk, Seen, judge
from notifications import signing_in
from notifications.models import Event
from tests.factories import PASSWORD

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0"

HOME = Seen(device="laptop", network="203.0.0.0/16", country="", hour=9)


def like(seen: Seen = HOME, **changes: Any) -> Seen:
    return Seen(**{**vars(seen), **changes})


SWEDE = like(country="SE")


@pytest.mark.req("N-112")
@pytest.mark.parametrize(
    ("before", "now", "unusual"),
    [
        ([], HOME, []),  # the first one ever has nothing to be compared with
        ([HOME], HOME, []),
        ([HOME], like(device="other"), [Risk.NEW_DEVICE]),
        ([HOME] * 4, like(network="198.51.0.0/16"), []),  # too early to know where they usually are
        ([HOME] * 5, like(network="198.51.0.0/16"), [Risk.NEW_PLACE]),
        ([like(network=f"203.{n}.0.0/16") for n in range(9)], like(network="198.51.0.0/16"), []),  # always on the road
        ([SWEDE], like(SWEDE, network="198.51.0.0/16"), []),  # a new network in the same country
        ([SWEDE], like(SWEDE, country="CL"), [Risk.NEW_PLACE]),
        ([HOME] * 5, like(SWEDE, network="198.51.0.0/16"), [Risk.NEW_PLACE]),  # the file of places came later
        ([HOME] * 19, like(hour=3), []),  # too early to know their hours
        ([HOME] * 20, like(hour=3), [Risk.ODD_HOUR]),
        ([HOME] * 20, like(hour=7), []),
        ([HOME] * 20, like(hour=11), []),
        ([like(hour=23)] * 20, like(hour=1), []),  # midnight is between neighbours
        ([like(hour=23)] * 20, like(hour=2), [Risk.ODD_HOUR]),
        ([HOME] * 20, Seen("other", "198.51.0.0/16", "", 3), [Risk.NEW_DEVICE, Risk.NEW_PLACE, Risk.ODD_HOUR]),
    ],
)
def test_what_is_unusual(before, now, unusual):
    assert judge(now, before) == unusual


def browser(**more: str) -> Client:
    return Client(REMOTE_ADDR="81.2.69.7", HTTP_USER_AGENT=FIREFOX, **more)


def enter(client: Client, member: Any) -> None:
    answer = client.post(reverse("account_login"), {"login": member.email, "password": PASSWORD})
    assert answer.status_code == 302


def alerts() -> list[Event]:
    return list(Event.objects.filter(type="login_alert.unusual_access").order_by("pk"))


@pytest.mark.req("N-112")
def test_the_first_sign_in_and_the_same_browser_again_tell_nothing(bob):
    client = browser()
    enter(client, bob)
    client.post(reverse("account_logout"))
    enter(client, bob)

    assert alerts() == []
    assert SignIn.objects.filter(user=bob.user).count() == 2


@pytest.mark.req("N-112")
def test_a_new_browser_is_told_to_the_person_alone_with_its_reason(bob, alice, delivered):
    enter(browser(), bob)
    enter(browser(), bob)

    (event,) = alerts()
    (mail,) = delivered("email")
    assert event.audience["members"] == [bob.pk]
    assert mail.to == [bob.email]
    assert "A browser you had not used before" in mail.body
    assert "Firefox on Linux" in " ".join(str(mail.body).split())
    assert "81.2.0.0/16" in mail.subject


def test_the_mark_in_the_browser_is_no_name_and_out_of_reach_of_scripts(bob):
    client = browser()
    enter(client, bob)

    cookie = client.cookies[sign_ins.COOKIE]
    assert cookie["httponly"]
    assert cookie["samesite"] == "Lax"
    assert cookie.value not in str(SignIn.objects.values())


@pytest.mark.parametrize("odd", ["", "x", "ü" * 22, "a" * 5000, "'; drop table"])
def test_a_mark_that_is_not_ours_is_replaced(bob, odd):
    client = browser()
    client.cookies[sign_ins.COOKIE] = odd
    enter(client, bob)

    assert sign_ins.MARK.fullmatch(client.cookies[sign_ins.COOKIE].value)


@pytest.mark.req("N-112")
def test_telling_twice_tells_once(bob):
    enter(browser(), bob)
    enter(browser(), bob)
    signing_in.tell(SignIn.objects.latest("pk"))

    assert len(alerts()) == 1


@pytest.mark.req("N-112")
def test_this_was_not_me_ends_that_session_and_no_other(bob):
    home, thief = browser(), browser()
    enter(home, bob)
    enter(thief, bob)
    page = alerts()[0].data["url"]

    assert b"Was this you?" in home.get(page).content
    assert UserSession.objects.filter(user=bob.user).count() == 2  # looking changes nothing
    answer = home.post(page, {"answer": "not_mine"}, follow=True)

    assert b"That session is ended." in answer.content
    assert b"Change your password" in answer.content
    assert thief.get("/1001/").status_code == 302
    assert home.get("/1001/").status_code == 200


@pytest.mark.req("N-112")
def test_what_was_not_me_stays_a_strange_browser_and_what_was_me_does_not(bob):
    home, thief = browser(), browser()
    enter(home, bob)
    enter(thief, bob)
    home.post(alerts()[0].data["url"], {"answer": "not_mine"})
    enter(thief, bob)
    assert len(alerts()) == 2

    home.post(alerts()[1].data["url"], {"answer": "mine"})
    thief.post(reverse("account_logout"))
    enter(thief, bob)
    assert len(alerts()) == 2


def test_a_session_that_is_gone_is_said_so(bob):
    home, thief = browser(), browser()
    enter(home, bob)
    enter(thief, bob)
    thief.post(reverse("account_logout"))

    answer = home.post(alerts()[0].data["url"], {"answer": "not_mine"}, follow=True)

    assert b"had ended already" in answer.content


def test_another_persons_sign_in_is_not_there(bob, carol):
    enter(browser(), bob)
    enter(browser(), bob)
    page = alerts()[0].data["url"]
    other = browser()
    enter(other, carol)

    assert other.get(page).status_code == 404
    assert other.post(page, {"answer": "not_mine"}).status_code == 404
    assert browser().get(page).status_code == 302
    assert SignIn.objects.filter(answer="").count() == 3


def test_an_answer_that_is_none_changes_nothing(bob):
    home = browser()
    enter(home, bob)
    row = SignIn.objects.get()

    assert home.post(reverse("accounts:sign-in", args=[row.pk]), {"answer": "perhaps"}).status_code == 400
    assert SignIn.objects.get().answer == ""


def test_a_person_in_no_account_signs_in_and_is_told_nothing(bob):
    bob.delete()
    enter(browser(), bob)
    enter(browser(), bob)

    assert alerts() == []


def test_old_sign_ins_are_forgotten(bob):
    enter(browser(), bob)
    SignIn.objects.update(at=timezone.now() - sign_ins.KEPT - timedelta(days=1))
    enter(browser(), bob)

    assert SignIn.objects.count() == 1
    assert alerts() == []


@pytest.mark.req("N-112")
def test_a_geolite_file_names_the_place_and_compares_countries(bob, settings, tmp_path):
    writer = MMDBWriter(ip_version=4, database_type="GeoLite2-City", languages=["en"])
    for network, code, country, city in (
        ("81.2.69.0/24", "SE", "Sweden", "Gothenburg"),
        ("9.9.9.0/24", "CL", "Chile", "Valparaíso"),
    ):
        facts = {"city": {"names": {"en": city}}, "country": {"iso_code": code, "names": {"en": country}}}
        writer.insert_network(IPSet([network]), facts)
    writer.to_db_file(str(tmp_path / "city.mmdb"))
    settings.GEOLITE_FILE = str(tmp_path / "city.mmdb")
    client = Client(HTTP_USER_AGENT=FIREFOX)

    for address in ("81.2.69.7", "9.9.9.9"):
        client.post(
            reverse("account_login"), {"login": bob.email, "password": PASSWORD}, REMOTE_ADDR=address, follow=True
        )
        client.post(reverse("account_logout"))

    (event,) = alerts()
    assert event.data["place"] == "Valparaíso, Chile"
    assert event.data["why"] == "A place you had not signed in from"


def test_a_broken_file_of_places_keeps_nobody_out(bob, settings, tmp_path):
    (tmp_path / "city.mmdb").write_bytes(b"nonsense")
    settings.GEOLITE_FILE = str(tmp_path / "city.mmdb")

    enter(browser(), bob)

    assert SignIn.objects.get().place == "the network 81.2.0.0/16"
