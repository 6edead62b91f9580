"""A member's notifications over the API."""

from typing import Any

from tests.api.conftest import event, fields_of


def told(program: Any, fan_out: Any, count: int = 1, **facts: Any) -> list[int]:
    ids = [program.post("events/", event(**facts)).json()["id"] for _ in range(count)]
    fan_out()
    return ids


def test_notifications_are_listed_newest_first_a_page_at_a_time(
    program: Any, signed_in: Any, bob: Any, fan_out: Any
) -> None:
    ids = told(program, fan_out, 3)
    browser = signed_in(bob)

    first = browser.get("notifications/?limit=2").json()
    assert [row["id"] for row in first["results"]] == [ids[2], ids[1]]
    assert first["results"][0]["title"] == "Ann moved “Nordic Oak 2027” to Contract sent"
    assert first["results"][0]["channels"] == ["bell", "email"]
    rest = browser.get(first["next"].removeprefix("/api/v1/")).json()
    assert [row["id"] for row in rest["results"]] == [ids[0]]
    assert rest["next"] is None


def test_a_list_costs_the_same_however_long(
    program: Any, signed_in: Any, bob: Any, fan_out: Any, django_assert_max_num_queries: Any
) -> None:
    told(program, fan_out, 6)
    browser = signed_in(bob)
    with django_assert_max_num_queries(5):
        assert len(browser.get("notifications/").json()["results"]) == 6


def test_lists_can_be_narrowed(program: Any, signed_in: Any, bob: Any, fan_out: Any) -> None:
    one, two, three = told(program, fan_out, 3)
    browser = signed_in(bob)
    browser.post("notifications/read/", {"ids": [one]})
    browser.post("notifications/archive/", {"ids": [two]})

    def ids(query: str) -> list[int]:
        return [row["id"] for row in browser.get(f"notifications/?{query}").json()["results"]]

    assert ids("") == [three, one]
    assert ids("unread=true") == [three]
    assert ids("unread=false") == [one]
    assert ids("archived=true") == [two]
    assert ids("topic=deals") == [three, one]
    assert ids("topic=tasks") == []
    assert ids("type=deals.assigned") == []
    assert ids("since=2999-01-01T00:00:00Z") == []
    assert ids("since=2020-01-01T00:00:00%2B02:00") == [three, one]


def test_reading_unreading_archiving(program: Any, signed_in: Any, bob: Any, fan_out: Any) -> None:
    one, two = told(program, fan_out, 2)
    browser = signed_in(bob)

    assert browser.post("notifications/read/", {"ids": [one, one]}).json() == {"changed": 1, "unread": 1, "newest": two}
    assert browser.post("notifications/read/", {"ids": [one]}).json()["changed"] == 0
    assert browser.post("notifications/unread/", {"ids": [one]}).json()["unread"] == 2
    assert browser.post("notifications/read-all/", {"up_to": one}).json()["unread"] == 1
    assert browser.post("notifications/archive/", {"ids": [two]}).json()["unread"] == 0
    assert browser.get(f"notifications/{two}/").json()["archived_at"]
    assert browser.post("notifications/unarchive/", {"ids": [two]}).json()["changed"] == 1
    assert browser.get("notifications/state/").json() == {"unread": 0, "newest": two}


def test_ids_of_others_change_nothing(program: Any, signed_in: Any, bob: Any, carol: Any, fan_out: Any) -> None:
    (one,) = told(program, fan_out)

    assert signed_in(carol).post("notifications/read/", {"ids": [one]}).json()["changed"] == 0
    assert signed_in(carol).get(f"notifications/{one}/").status_code == 404
    assert signed_in(bob).get("notifications/state/").json()["unread"] == 1


def test_odd_ids_are_refused(signed_in: Any, bob: Any) -> None:
    browser = signed_in(bob)
    for ids in ([], ["1"], [0], [2**63], [None], "1", None, list(range(1, 1002))):
        assert any(name.startswith("ids") for name in fields_of(browser.post("notifications/read/", {"ids": ids})))
    assert "up_to" in fields_of(browser.post("notifications/read-all/", {}))


def test_a_program_acts_for_a_member(program: Any, bob: Any, fan_out: Any) -> None:
    (one,) = told(program, fan_out)

    assert program.post(f"notifications/read/?member={bob.email}", {"ids": [one]}).json()["changed"] == 1
    assert "member" in fields_of(program.post("notifications/read/", {"ids": [one]}))


def test_why_one_got_it_and_another_did_not(
    program: Any, signed_in: Any, alice: Any, bob: Any, carol: Any, delivered: Any
) -> None:
    made = program.post("events/", event(actor=alice.pk, audience={"members": [alice.pk, bob.pk]})).json()["id"]
    delivered("email")

    got = signed_in(bob).get(f"notifications/{made}/why/").json()
    by_channel = {verdict["channel"]: verdict for verdict in got["verdicts"]}
    assert got["is_recipient"]
    assert by_channel["email"]["on"]
    assert by_channel["email"]["layer"] == "built_in"
    assert by_channel["email"]["delivery"]["status"] == "sent"
    assert not by_channel["popup"]["on"]

    assert signed_in(alice).get(f"notifications/{made}/why/").json()["held"] == "own_act"
    assert not program.get(f"notifications/{made}/why/?member={carol.pk}").json()["is_recipient"]


def test_why_is_not_there_for_what_is_next_door(
    program: Any, stranger: Any, bob: Any, mallory: Any, fan_out: Any
) -> None:
    (one,) = told(program, fan_out)

    assert stranger.get(f"notifications/{one}/why/?member={mallory.pk}").status_code == 404
    assert stranger.get(f"notifications/{one}/why/?member={bob.pk}").status_code == 404
