"""What docs/requirements says, held against what the tests cover. `python -m tests.requirements` writes the column."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = sorted((CHECKOUT / "docs" / "requirements").glob("*.md"))
ROW = re.compile(
    r"^\| (?P<id>[NSIE]-\d+) \| (?P<behaviour>.*) \| (?P<kind>[A-Z/]+) \| (?P<status>\w+) \| ?(?P<tests>.*?) ?\|$"
)
EVERY_TYPE = "api/test_every_type.py::test_every_type_goes_the_whole_way"
STATUSES = {"works", "partly", "planned"}


@dataclass(frozen=True)
class Row:
    """One line of a list."""

    page: Path
    id: str
    status: str
    tests: str
    line: str


def rows() -> Iterator[Row]:
    """Every requirement of every page."""
    for page in PAGES:
        for line in page.read_text().splitlines():
            if match := ROW.match(line):
                yield Row(page, match["id"], match["status"], match["tests"], line)


def covered() -> dict[str, list[str]]:
    """The tests that carry `@pytest.mark.req(...)`, by requirement, read from their source."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for path in sorted((CHECKOUT / "tests").rglob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                for id_ in _marks(node):
                    found[id_].append(f"{path.relative_to(CHECKOUT / 'tests')}::{node.name}")
    for path in sorted((CHECKOUT / "notifications" / "types").glob("*.py")):
        for id_ in _declared(ast.parse(path.read_text())):
            found[id_].insert(0, EVERY_TYPE)
    return found


def _declared(module: ast.Module) -> Iterator[str]:
    """The requirements that notification types name: one test takes them all the whole way."""
    for node in ast.walk(module):
        if isinstance(node, ast.keyword) and node.arg == "requirements" and isinstance(node.value, ast.Tuple):
            yield from (str(each.value) for each in node.value.elts if isinstance(each, ast.Constant))


def _marks(test: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for mark in test.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.req":
            for argument in mark.args:
                if isinstance(argument, ast.Constant):
                    yield str(argument.value)


def column(tests: list[str]) -> str:
    """How the tests of a requirement stand in the table."""
    shown = ", ".join(f"`{test}`" for test in tests[:2])
    return f"{shown} and {len(tests) - 2} more" if len(tests) > 2 else shown


def write() -> None:
    """Write the tests column of every page anew. The statuses are ours to set."""
    tests = covered()
    for page in PAGES:
        lines = []
        for line in page.read_text().splitlines():
            if match := ROW.match(line):
                cells = [match["id"], match["behaviour"], match["kind"], match["status"]]
                line = f"| {' | '.join(cells)} | {column(tests.get(match['id'], []))} |"
            lines.append(line)
        page.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    write()
