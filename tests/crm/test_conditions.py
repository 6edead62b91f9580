"""Conditions as people write them: read from a form, checked, kept as JSON, said in words, shown again."""

import re

import pytest
from django.template.loader import render_to_string

from crm import conditions, filtering, schema, stages
from crm.filtering import Condition, InvalidFilter
from crm.kinds import BUILT_IN
from crm.models import Record

DEALS, CONTACTS, TASKS = BUILT_IN["deals"], BUILT_IN["contacts"], BUILT_IN["tasks"]


def form(**values):
    """{"where-0-property": …} from `_0="city contains Oslo"`."""
    found = {}
    for name, text in values.items():
        key, operator, *value = text.split(" ", 2)
        number = name.removeprefix("_")
        found |= {f"where-{number}-property": key, f"where-{number}-operator": operator}
        found |= {f"where-{number}-value": value[0]} if value else {}
    return found


def shown(kind, given, *, member, problems=None, prefix="where"):
    context = {"rows": conditions.rows(kind, given, member=member), "prefix": prefix, "problems": problems}
    return render_to_string("crm/_conditions.html", context)


def test_rows_are_read_in_the_order_of_their_numbers_whatever_is_missing_between():
    posted = form(_10="amount at_least 1000", _2="currency is EUR", _3="owner is_empty")

    assert conditions.read(DEALS, posted) == [
        Condition("currency", "is", "EUR"),
        Condition("owner", "is_empty"),
        Condition("amount", "at_least", "1000"),
    ]


def test_a_row_without_a_property_is_no_condition_and_other_prefixes_are_others():
    posted = {"where-0-property": "", "where-0-value": "x", "yes-0-property": "name", "yes-0-value": "oak"}

    assert conditions.read(DEALS, posted) == []
    assert conditions.read(DEALS, posted, prefix="yes") == [Condition("name", "contains", "oak")]


def test_what_is_kept_comes_back_the_same_and_is_plain_json(alice, bob):
    given = [
        Condition("owner", "is", str(bob.pk)),
        Condition("amount", "at_least", "1000.50"),
        Condition("close_date", "at_most", "2026-11-30"),
        Condition("currency", "is_filled"),
    ]
    kept = conditions.checked(DEALS, given, member=alice)

    assert conditions.as_json(kept) == [
        {"property": "owner", "operator": "is", "value": bob.pk},
        {"property": "amount", "operator": "at_least", "value": 1000.5},
        {"property": "close_date", "operator": "at_most", "value": "2026-11-30"},
        {"property": "currency", "operator": "is_filled"},
    ]
    assert conditions.from_json(conditions.as_json(kept)) == kept


def test_a_moment_is_meant_on_the_writers_clock_and_shown_on_the_readers(alice, bob):
    alice.time_zone, bob.time_zone = "Asia/Tokyo", "Europe/Stockholm"
    (kept,) = conditions.checked(TASKS, [Condition("due_at", "at_least", "2026-11-30T09:00")], member=alice)

    assert kept.value == "2026-11-30T00:00:00+00:00"
    assert 'value="2026-11-30T01:00"' in shown(TASKS, [kept], member=bob)


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (Condition("amount", "at_least", "much"), "Write a number"),
        (Condition("close_date", "at_most", "2026-02-30"), "no day of the calendar"),
        (Condition("shoe_size", "is", "44"), "no such property"),
        (Condition("amount", "resembles", "44"), "no such comparison"),
        (Condition("currency", "at_least", "EUR"), "cannot be compared like this"),
        (Condition("name", "contains", ""), "Write some text"),
        (Condition("owner", "is", "999999"), "nobody like that"),
        (Condition("stage", "is", "999999"), "no such stage"),
    ],
)
def test_each_bad_condition_is_named_with_what_would_be_right(alice, given, sentence):
    with pytest.raises(InvalidFilter) as refused:
        conditions.checked(DEALS, [Condition("name", "contains", "oak"), given], member=alice)

    assert list(refused.value.fields) == ["where[1]"]
    assert sentence in refused.value.fields["where[1]"][0]


def test_members_and_stages_of_the_account_next_door_are_refused(alice, mallory):
    foreign = stages.first_stage(mallory.account, DEALS)
    given = [Condition("owner", "is", str(mallory.pk)), Condition("stage", "is", str(foreign.pk))]

    with pytest.raises(InvalidFilter) as refused:
        conditions.checked(DEALS, given, member=alice)

    assert set(refused.value.fields) == {"where[0]", "where[1]"}


def test_more_than_twenty_are_refused(alice):
    with pytest.raises(InvalidFilter, match="At most 20"):
        conditions.checked(DEALS, [Condition("name", "is_filled")] * 21, member=alice)


def test_they_are_said_in_words_with_names_instead_of_numbers(alice, bob):
    stage = stages.first_stage(alice.account, DEALS)
    given = [
        Condition("name", "contains", "oak"),
        Condition("owner", "is_not", bob.pk),
        Condition("stage", "is", stage.pk),
        Condition("close_date", "at_least", "2026-11-30"),
        Condition("amount", "is_empty"),
    ]

    said = conditions.in_words(DEALS, given, alice.account)

    assert said.startswith(f"Deal name contains “oak” and Deal owner is not “{bob.name}” and ")
    assert f" and Deal stage is “{stage.name}” and " in said
    assert said.endswith("Close date is on or after “Nov. 30, 2026” and Amount is empty")
    assert conditions.in_words(DEALS, [], alice.account) == ""


def test_the_field_for_the_value_fits_the_property(alice, bob):
    given = [
        Condition("name", "contains", "oak"),
        Condition("amount", "at_least", 1000),
        Condition("close_date", "at_most", "2026-11-30"),
        Condition("owner", "is", bob.pk),
    ]
    page = shown(DEALS, given, member=alice).partition("<noscript>")[0]

    for number, field in enumerate(["text", "number", "date"]):
        assert re.search(rf'<input data-part="value" type="{field}"[^>]*name="where-{number}-value"', page)
    assert re.search(rf'name="where-3-value".*<option value="{bob.pk}" selected>{bob.name}', page, re.DOTALL)


def test_a_problem_stands_beside_its_row_and_what_was_written_is_kept(alice):
    given = [Condition("name", "contains", "oak"), Condition("close_date", "at_most", "soon")]
    with pytest.raises(InvalidFilter) as refused:
        conditions.checked(DEALS, given, member=alice)
    page = shown(DEALS, given, member=alice, problems=refused.value.fields)

    assert re.search(
        r'type="text"[^>]*value="soon"[^>]*name="where-1-value" aria-invalid="true" '
        r'aria-describedby="where-1-problems"',
        page,
    )
    assert re.search(r'id="where-1-problems"><li>This is no day', page)
    assert "where-0-problems" not in page


def test_a_form_posted_as_it_was_shown_says_the_same(alice, bob):
    """Without scripts, too: the rows that are there keep their fields, and the spare one adds nothing unless used."""
    given = conditions.checked(DEALS, [Condition("owner", "is", bob.pk), Condition("amount", "is", "3")], member=alice)
    page = shown(DEALS, given, member=alice).partition("<template")[0]
    posted = dict(re.findall(r'<input[^>]*value="([^"]*)"[^>]*name="([^"]*)"', page))
    posted = {name: value for value, name in posted.items()}
    for name, options in re.findall(r'<select[^>]*name="([^"]*)"[^>]*>(.*?)</select>', page, re.DOTALL):
        chosen = re.search(r'<option value="([^"]*)"[^>]*selected', options)
        posted[name] = chosen[1] if chosen else ""

    assert "where-2-property" in posted
    assert conditions.checked(DEALS, conditions.read(DEALS, posted), member=alice) == given


def test_showing_asks_the_database_a_constant_number_of_times(alice, bob, django_assert_max_num_queries):
    kind = schema.kind_of(alice.account, "deals")
    stages.pipelines_of(alice.account, kind)
    with django_assert_max_num_queries(4):
        shown(kind, [Condition("owner", "is", bob.pk)] * 20, member=alice)


def test_what_is_kept_finds_what_it_says(alice, make):
    make("deals", amount=2000)
    make("deals", amount=10)
    kept = conditions.checked(DEALS, [Condition("amount", "at_least", "1000")], member=alice)
    found = filtering.narrowed(
        Record.objects.all(), DEALS, conditions.from_json(conditions.as_json(kept)), zone=alice.zone
    )

    assert [one.values["amount"] for one in found] == [2000]
