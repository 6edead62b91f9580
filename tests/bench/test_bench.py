"""The figures are there, can be told apart, and are explained."""

import importlib
import json
from pathlib import Path

import pytest

from bench.__main__ import NAMES, RESULTS
from bench.figure import Figure, percentile, table

PAGE = Path(__file__).parents[2] / "docs" / "PERFORMANCE.md"


@pytest.mark.parametrize("name", NAMES)
def test_each_figure_can_be_taken(name):
    assert callable(importlib.import_module(f"bench.{name}").run)


def test_each_figure_that_was_taken_is_explained():
    page = PAGE.read_text()
    taken = {figure["name"] for figure in json.loads(RESULTS.read_text())["figures"]}
    assert {name for name in {*NAMES, *taken} if f"`{name}`" not in page} == set()


def test_a_goal_that_was_missed_says_so():
    figure = Figure(
        name="fast", what="how fast", value=12345.6, unit="rows/s", yardstick=10_000, goal="≥ 2 ×", is_met=False
    )
    assert "12,346 rows/s" in table([figure])
    assert "1.23 ×" in table([figure])
    assert "NO" in table([figure])


def test_a_percentile_is_one_of_the_values():
    assert percentile([5, 1, 4, 2, 3], 0.5) == 3
    assert percentile(range(1000), 0.99) == 990
