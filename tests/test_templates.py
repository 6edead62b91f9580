"""What holds for every template: the strict content-security policy, the icons, and error pages that stand alone."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.template.loader import get_template, render_to_string

TEMPLATES = sorted((settings.BASE_DIR / "templates").rglob("*.html"))
MAIL = re.compile(r"/(mail|email)s?/")  # mails carry their styles inline, as mail programs want it
FORBIDDEN = {
    "an inline style": re.compile(r"<style\b|\sstyle=", re.I),
    "an inline handler": re.compile(r"\son[a-z]+=[\"']", re.I),
    "an inline script": re.compile(r"<script(?![^>]*\b(?:src=|type=\"application/json\"))", re.I),
    "something from another host": re.compile(r"\b(?:src|href)=[\"'](?:https?:)?//", re.I),
}


def name_of(path: Path) -> str:
    return str(path.relative_to(settings.BASE_DIR / "templates"))


@pytest.mark.parametrize("path", TEMPLATES, ids=name_of)
def test_a_template_compiles_and_obeys_the_content_security_policy(path: Path) -> None:
    get_template(name_of(path))
    text = path.read_text()
    if not MAIL.search(path.as_posix()):
        assert [what for what, pattern in FORBIDDEN.items() if pattern.search(text)] == []


def test_every_icon_that_a_template_names_is_drawn() -> None:
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', (settings.BASE_DIR / "static/img/icons.svg").read_text()))
    named = {
        name
        for path in TEMPLATES
        for pattern in (r'components/icon\.html" with name="([\w-]+)"', r'\bicon="([\w-]+)"')
        for name in re.findall(pattern, path.read_text())
    }
    assert named - drawn == set()


@pytest.mark.parametrize("name", ["403.html", "403_csrf.html", "404.html", "405.html", "429.html", "500.html"])
def test_an_error_page_needs_no_context_and_leads_on(name: str) -> None:
    page = render_to_string(name)
    assert "<h1>" in page
    assert 'href="/"' in page
