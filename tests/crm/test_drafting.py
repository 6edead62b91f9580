"""A workflow as its editor holds it: steps put in, moved, taken out and put back, whatever stands in them."""

import copy

import pytest

from crm.workflows import drafting


def wait(step_id):
    return {"id": step_id, "do": "wait", "amount": 1, "unit": "days"}


def branch(step_id, yes=(), no=()):
    return {"id": step_id, "do": "branch", "conditions": [], "yes": list(yes), "no": list(no)}


@pytest.fixture
def steps():
    return [wait("s1"), branch("s2", yes=[wait("s3")], no=[wait("s4")]), wait("s5")]


def drawn(steps):
    """The tree in one line: s1 s2(s3|s4) s5."""
    return " ".join(
        f"{one['id']}({drawn(one['yes'])}|{drawn(one['no'])})" if one["do"] == "branch" else one["id"] for one in steps
    )


def test_moving_down_goes_through_every_place_and_moving_up_comes_back(steps):
    seen = [drawn(steps)]
    for _ in range(6):
        drafting.move_down(steps, "s1")
        seen.append(drawn(steps))
    assert seen == [
        "s1 s2(s3|s4) s5",
        "s2(s1 s3|s4) s5",
        "s2(s3 s1|s4) s5",
        "s2(s3|s1 s4) s5",
        "s2(s3|s4 s1) s5",
        "s2(s3|s4) s1 s5",
        "s2(s3|s4) s5 s1",
    ]
    drafting.move_down(steps, "s1")
    back = [drawn(steps)]
    for _ in range(6):
        drafting.move_up(steps, "s1")
        back.append(drawn(steps))
    assert back == list(reversed(seen))
    drafting.move_up(steps, "s1")
    assert drawn(steps) == seen[0]


def test_a_branch_moves_with_what_stands_in_it(steps):
    drafting.move_up(steps, "s2")
    assert drawn(steps) == "s2(s3|s4) s1 s5"


def test_a_removed_step_is_put_back_where_it_was(steps):
    before = copy.deepcopy(steps)
    removed = drafting.remove(steps, "s2")
    assert drawn(steps) == "s1 s5"

    assert drafting.put_back(steps, removed)
    assert steps == before
    assert drafting.put_back(steps, removed) is None
    assert drafting.remove(steps, "s99") is None


def test_a_new_step_gets_an_id_that_no_version_had(steps):
    assert drafting.add(steps, "wait", "s2.yes", 1, version=0)["id"] == "s6"
    assert drafting.add(steps, "notify", "root", 0, version=3)["id"] == "s301"
    assert drawn(steps) == "s301 s1 s2(s3 s6|s4) s5"
    assert drafting.add(steps, "wait", "s99.yes", 0, version=0) is None
    assert drafting.add(steps, "fly", "root", 0, version=0) is None


def test_a_step_that_is_not_there_is_not_moved(steps):
    drafting.move_up(steps, "s99")
    drafting.move_down(steps, "s99")
    assert drawn(steps) == "s1 s2(s3|s4) s5"
