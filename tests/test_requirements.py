"""docs/requirements says what is true."""

from tests import requirements


def test_every_status_is_one_of_three():
    assert {row.status for row in requirements.rows()} <= requirements.STATUSES


def test_every_requirement_stands_once_and_in_its_place():
    for page in requirements.PAGES:
        ids = [row.id for row in requirements.rows() if row.page == page]
        assert ids == sorted(set(ids))


def test_the_tests_column_names_the_covering_tests():
    tests = requirements.covered()
    stale = [row.id for row in requirements.rows() if row.tests != requirements.column(tests.get(row.id, []))]

    assert stale == [], "run: make requirements"


def test_whatever_works_has_a_test():
    tests = requirements.covered()

    assert [row.id for row in requirements.rows() if row.status == "works" and row.id not in tests] == []


def test_every_mark_names_a_requirement():
    assert set(requirements.covered()) <= {row.id for row in requirements.rows()}
