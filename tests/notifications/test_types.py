"""The catalogue: every type can be told, every wrong declaration and every wrong piece of data is refused."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from hypothesis import example, given
from hypothesis import strategies as st

from notifications import types
from notifications.types.base import Merging, NotificationType, Topic, catalogue
from notifications.types.declaring import CHANNELS, DeclarationError, placeholders, source_text
from notifications.types.values import is_link

EVERY_TYPE = [
    pytest.param(kind, id=kind.key, marks=[pytest.mark.req(number) for number in kind.requirements])
    for kind in types.TYPES.values()
]

RULES_NOT_TYPES = {
    "N-054": "says where the whole topic comes from: conversations of the inbox",
    "N-060": "who is left out of a conversation's audience: the inbox decides",
    "N-061": "who is left out of an unassigned conversation's audience: the inbox decides",
    "N-070": "who owns a contact or company: the audience of the two assignment types",
    "N-082": "the five minutes: a fact of the assignment types, kept by whoever assigns",
    "N-083": "merging within the five minutes: kept by whoever assigns",
    "N-084": "when an assignment is not told: kept by whoever assigns",
    "N-137": "a note: shown under the topic System",
    "N-142": "the API does not tell about tasks it creates: kept by whoever creates tasks",
    "N-146": "who owns a ticket: the audience of its assignment type",
}


def keys(kinds: list[NotificationType]) -> set[str]:
    return {kind.key for kind in kinds}


# The catalogue as a whole


def test_there_are_29_topics_and_each_has_types() -> None:
    assert len(types.TOPICS) == 29
    assert [topic.key for topic in types.TOPICS if not topic.types] == []


def test_keys_and_labels_are_never_used_twice() -> None:
    assert len({topic.key for topic in types.TOPICS}) == 29
    assert sum(len(topic.types) for topic in types.TOPICS) == len(types.TYPES)
    labels = Counter(source_text(kind.label) for kind in types.TYPES.values())
    assert [label for label, times in labels.items() if times > 1] == []


def test_every_event_of_the_requirements_is_a_type() -> None:
    listed = {f"N-{number:03}" for number in range(42, 157)}
    covered = {number for kind in types.TYPES.values() for number in kind.requirements}

    assert listed - covered == set(RULES_NOT_TYPES)
    assert covered - listed == {"N-005"}, "beyond the list: support and billing messages"


def test_a_type_is_found_by_its_key_and_an_unknown_one_is_none() -> None:
    assert types.get("deals.stage_changed") is types.deals.STAGE_CHANGED
    assert types.get("deals.gone") is None


# Each type


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_renders_its_example(kind: NotificationType) -> None:
    title = str(kind.title).format_map(kind.example)
    body = str(kind.body).format_map(kind.example)

    assert kind.check_data(kind.example) == []
    assert 0 < len(title) <= 100
    for text in (title, body):
        assert text == " ".join(text.split())
        assert not set("{}") & set(text)


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_shows_all_that_its_events_carry(kind: NotificationType) -> None:
    shown = {*placeholders(source_text(kind.title)), *placeholders(source_text(kind.body))}

    assert shown == set(kind.example) - {"url", "listed"}  # a list is laid out by the mail


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_type_speaks_the_readers_language(kind: NotificationType) -> None:
    assert isinstance(kind.topic.label, Promise)
    assert isinstance(kind.label, Promise)
    assert isinstance(kind.title, Promise)
    assert not source_text(kind.label).endswith(".")
    bare_field = isinstance(kind.body, str) and kind.body.strip("{}").isidentifier()
    assert isinstance(kind.body, Promise) or kind.body == "" or bare_field


@pytest.mark.parametrize("kind", EVERY_TYPE)
def test_every_example_leads_into_the_demo_account_or_to_the_own_sign_in(kind: NotificationType) -> None:
    assert str(kind.example["url"]).startswith(("/1001/", "/accounts/"))


def test_types_name_the_channels_that_there_are() -> None:
    from notifications import channels  # needs models, which nothing else in this file does

    assert set(channels.CHANNELS) == CHANNELS


def test_every_type_gives_its_channels_as_promised() -> None:
    for kind in types.TYPES.values():
        assert kind.required <= kind.defaults <= kind.offered <= CHANNELS, kind.key
        assert kind.optional == kind.offered - kind.required, kind.key


# Their constraints


@pytest.mark.req("N-005")
def test_what_nobody_can_turn_off() -> None:
    required = {kind.key: set(kind.required) for kind in types.TYPES.values() if kind.required}

    assert required == {
        "account.preferences_changed_by_admin": {"email"},
        "login_alert.unusual_access": {"email"},
        "system.support_message": {"bell", "email"},
        "system.billing_message": {"bell", "email"},
    }


@pytest.mark.req("N-153")
def test_what_is_told_by_mail_only() -> None:
    only = [kind for kind in types.TYPES.values() if kind.offered == {"email"}]

    assert keys(only) == {*types.website_visits.TOPIC.types, "tasks.digest", "workflows.friday_summary"}
    assert {kind.offered for kind in types.TYPES.values() if kind not in (*only, types.system.CATCH_UP)} == {CHANNELS}


@pytest.mark.req("N-141", "N-156")
def test_the_regular_mails_come_only_to_who_asks_for_them() -> None:
    assert types.tasks.DIGEST.defaults == set()
    assert types.workflows.FRIDAY_SUMMARY.defaults == set()


@pytest.mark.parametrize(
    ("role", "permissions", "seat", "hidden"),
    [
        ("super_admin", {"forms"}, "paid", set()),
        ("super_admin", set(), "paid", {"forms.submitted"}),
        ("member", {"forms"}, "free", {*types.payments.TOPIC.types, "email.clicked"}),
        ("member", {"marketing"}, "paid", {*types.payments.TOPIC.types, "forms.submitted"}),
    ],
)
@pytest.mark.req("N-093", "N-119")
def test_some_types_exist_only_for_some_members(role: str, permissions: set[str], seat: str, hidden: set[str]) -> None:
    assert keys([k for k in types.TYPES.values() if not k.is_for(role, permissions, seat)]) == hidden


def test_assignments_of_records_and_tasks_wait_five_minutes() -> None:
    waiting = [kind for kind in types.TYPES.values() if kind.window]

    assert {kind.window for kind in waiting} == {timedelta(minutes=5)}
    assert keys(waiting) == {
        "contacts.company_assigned",
        "contacts.contact_assigned",
        "custom_objects.record_assigned",
        "deals.assigned",
        "general.records_assigned",
        "leads.assigned",
        "tasks.assigned",
        "tickets.assigned",
    }


def test_general_has_four_headings() -> None:
    used = Counter(kind.group for kind in types.general.TOPIC.types.values())

    assert list(used) == list(types.general.TOPIC.groups) == ["marketplace", "approvals", "projects", "records"]
    assert str(types.general.PROJECT_UPDATED.group_label) == "Projects"
    assert types.deals.ASSIGNED.group_label == ""


# Declarations


def declare(topic: Topic | None = None, name: str = "moved", **changes: Any) -> NotificationType:
    usual: dict[str, Any] = {
        "label": _("A boat moves"),
        "title": _("{boat} moved"),
        "example": {"boat": "Vega", "url": "/1001/boats/1/"},
        "defaults": {"bell"},
    }
    return (topic or Topic("boats", _("Boats"))).type(name, **usual | changes)


def test_a_declared_type_is_registered_in_its_topic() -> None:
    topic = Topic("boats", _("Boats"), for_role="super_admin", only=frozenset({"bell", "email"}))
    kind = declare(topic, required={"email"})

    assert topic.types == {"boats.moved": kind}
    assert catalogue([topic]) == {"boats.moved": kind}
    assert kind.defaults == {"bell", "email"}
    assert kind.offered == {"bell", "email"}
    assert kind.for_role == "super_admin"
    assert str(kind) == "boats.moved"


def merging(**changes: Any) -> Merging:
    right: dict[str, Any] = {"title": _("{count} moves of {boat}"), "heading": _("Moves"), "line": _("{boat}")}
    return Merging(within=timedelta(seconds=60), most=3, **(right | changes))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"title": _("{ship} moved")}, "its title has {ship}, which is not in its example"),
        ({"body": _("To {berth}.")}, "its body has {berth}, which is not in its example"),
        ({"body": "{berth}"}, "its body has {berth}"),
        ({"label": _("{boat} moves")}, "its label has {boat}"),
        ({"title": _("{boat.name} moved")}, "nothing but the name of a field"),
        ({"title": _("{boat[0]} moved")}, "nothing but the name of a field"),
        ({"title": _("{boat!r} moved")}, "nothing but the name of a field"),
        ({"title": _("{boat:>9} moved")}, "nothing but the name of a field"),
        ({"title": _("{} moved")}, "nothing but the name of a field"),
        ({"title": _("{0} moved")}, "nothing but the name of a field"),
        ({"title": _("{boat moved")}, "its title is not usable"),
        ({"title": _(" ")}, "needs a title"),
        ({"example": {"boat": "Vega"}}, "needs a “url”"),
        ({"example": {"boat": "Vega", "url": "//elsewhere"}}, "the “url” of its example must begin with /"),
        ({"example": {"boat": 1.5, "url": "/"}}, "“boat” in its example must be text or a whole number"),
        ({"example": {"boat": True, "url": "/"}}, "“boat” in its example must be text or a whole number"),
        ({"example": {"boat": None, "url": "/"}}, "“boat” in its example must be text or a whole number"),
        ({"example": {"boat": "V", "a b": "c", "url": "/"}}, "“a b” in its example cannot be a placeholder"),
        ({"defaults": {"bel"}}, "`defaults` has bel, which is no channel; there are "),
        ({"defaults": {"bell"}, "only": {"email"}}, "`defaults` has bell, but it is offered only on email"),
        ({"required": {"bell"}, "only": {"email"}}, "`required` has bell, but it is offered only on email"),
        ({"required": {"pigeon"}}, "`required` has pigeon"),
        ({"only": set()}, "`only` must name some of"),
        ({"merges": merging(title=_("{ships} moved"))}, "its merged title has {ships}"),
        ({"merges": merging(heading=_("{boat}"))}, "its merged heading has {boat}"),
        ({"merges": merging(line=_("{berth}"))}, "its merged line has {berth}"),
        ({"merges": merging(), "only": {"bell"}, "defaults": {"bell"}}, "`merges` has email, on which it is not"),
        ({"group": "sails"}, "no group “sails”"),
        ({"name": "Moved"}, "“Moved” must be lower-case words joined by _"),
        ({"name": "moved_" * 20 + "far"}, "at most 80 characters"),
    ],
)
def test_a_wrong_declaration_is_refused_in_a_sentence(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(DeclarationError) as refused:
        declare(**changes)

    assert words in str(refused.value)
    assert "boats." in str(refused.value)


def test_a_key_is_declared_once() -> None:
    topic = Topic("boats", _("Boats"))
    declare(topic)

    with pytest.raises(DeclarationError, match=r"boats\.moved is declared twice"):
        declare(topic)
    with pytest.raises(DeclarationError, match="topic boats is listed twice"):
        catalogue([topic, Topic("boats", _("Other boats"))])


def test_a_topic_with_headings_wants_each_type_under_one_of_them() -> None:
    topic = Topic("boats", _("Boats"), groups={"sails": _("Sails")})

    assert declare(topic, group="sails").group == "sails"
    with pytest.raises(DeclarationError, match="which has sails"):
        declare(topic, "sunk")


def test_a_type_stays_within_the_channels_of_its_topic() -> None:
    topic = Topic("boats", _("Boats"), only=frozenset({"email"}))

    with pytest.raises(DeclarationError, match="`only` must name some of email"):
        declare(topic, only={"bell"})


@pytest.mark.parametrize("changes", [{"key": "Boats"}, {"only": frozenset({"pigeon"})}])
def test_a_wrong_topic_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(DeclarationError):
        Topic(**{"key": "boats", "label": _("Boats")} | changes)


# The data of an event

MOVED = types.deals.STAGE_CHANGED
GOOD: dict[str, object] = {"actor": "Ann", "deal": "Nordic Oak", "stage": "Won", "url": "/1001/deals/7/"}


@pytest.mark.parametrize(
    ("changes", "field", "words"),
    [
        ({"deal": ...}, "data.deal", "This field is missing. It takes text or a whole number"),
        ({"url": ...}, "data.url", "This field is missing. It takes the page that a click opens"),
        ({"boat": "Vega"}, "data.boat", "has no such field. Its fields are actor, deal, stage, url."),
        ({"deal": None}, "data.deal", "must be text or a whole number, not null"),
        ({"deal": True}, "data.deal", "not true or false"),
        ({"deal": 1.5}, "data.deal", "not a number with a fraction"),
        ({"deal": ["Oak"]}, "data.deal", "not a list"),
        ({"deal": {}}, "data.deal", "not an object"),
        ({"deal": "O\0ak"}, "data.deal", "NUL"),
        ({"deal": "O\ud800ak"}, "data.deal", "lone surrogate"),
        ({"deal": 10**5000}, "data.deal", "too large"),
        ({"url": 7}, "data.url", "begins with one “/”"),
        ({"url": "//elsewhere.example/"}, "data.url", "begins with one “/”"),
        ({"url": "/" + "a" * 2000}, "data.url", "too long"),
        ({"a\0b\ud800": "c"}, "data.a\\u0000b\\ud800", "no such field"),
    ],
)
def test_wrong_data_is_refused_by_field(changes: dict[str, object], field: str, words: str) -> None:
    data = {name: value for name, value in {**GOOD, **changes}.items() if value is not ...}

    (problem,) = MOVED.check_data(data)

    assert problem.field == field
    assert words in problem.message


def test_all_that_is_wrong_is_said_at_once() -> None:
    problems = MOVED.check_data({"actor": None, "boat": 1, "url": "javascript:alert(1)"})

    assert [problem.field for problem in problems] == [
        "data.deal",
        "data.stage",
        "data.actor",
        "data.boat",
        "data.url",
    ]


@pytest.mark.parametrize("value", ["", "  ", "Łódź 🛥", "{deal}", "<b>", 0, -7, 2**53 - 1])
def test_any_text_and_any_ordinary_number_is_taken(value: str | int) -> None:
    data = GOOD | {"deal": value}

    assert MOVED.check_data(data) == []
    assert str(MOVED.title).format_map(data) == f"Ann moved “{value}” to Won"


@pytest.mark.parametrize(
    "link",
    [
        "/",
        "/1001/deals/7/",
        "/1001/?q=a%20b#c",
        "/søk",
        "https://a.example",
        "http://a.example:8080/x",
        "/a//b",
    ],
)
def test_a_link_may_be_a_path_or_a_whole_address(link: str) -> None:
    assert is_link(link)


@pytest.mark.parametrize(
    "link",
    [
        "",
        "1001/deals/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "/a b",
        "/a\u2028b",
        "/a\u202eb",
        " /a",
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://a.example",
        "https:",
        "https:///a",
        "https:a.example",
        "https://[a",
        "https://a.example:x",
        "https://a.example\\@b.example",
        "https://bank.example@b.example",
        "/\ud800",
        None,
        7,
        ["/"],
    ],
)
def test_a_link_that_may_lead_astray_is_refused(link: object) -> None:
    assert not is_link(link)


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(exclude_categories=[])),
    st.binary(max_size=5),
    st.sampled_from(["/a", "//a", "https://[", "http://a:b", "/\ud800"]),
)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(scalars, inner, max_size=3)
)
names = st.sampled_from(sorted(GOOD)) | scalars


@given(anything | st.dictionaries(names, anything, max_size=6))
@example([GOOD])
@example({(): 1})
def test_no_data_ever_raises_and_what_is_taken_can_be_stored_and_shown(data: object) -> None:
    problems = MOVED.check_data(data)

    for problem in problems:
        assert problem.field.startswith("data")
        assert json.dumps([problem.field, problem.message], ensure_ascii=False).encode()
    if not problems:
        assert isinstance(data, dict)
        assert "\\u0000" not in json.dumps(data)
        assert str(MOVED.title).format_map(data).encode()


@given(
    st.fixed_dictionaries(dict.fromkeys(sorted(set(GOOD) - {"url"}), st.text() | st.integers()) | {"url": st.just("/")})
)
def test_whatever_is_accepted_renders(data: dict[str, str | int]) -> None:
    if not MOVED.check_data(data):
        assert str(data["deal"]) in str(MOVED.title).format_map(data)
