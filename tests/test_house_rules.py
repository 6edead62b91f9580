"""The rules of the house that no linter knows."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from django.apps import apps
from django.conf import settings
from django.db import models

from notifications import channels, rendering, types
from notifications.types.base import NotificationType

CHECKOUT = Path(__file__).resolve().parent.parent
LINE = ["accounts", "notifications", "subscriptions", "crm", "inbox", "config"]  # each may know those before it
TEMPLATES = sorted((CHECKOUT / "templates").rglob("*.html"))
SOURCES = sorted(path for app in LINE for path in (CHECKOUT / app).rglob("*.py") if "migrations" not in path.parts)


def test_foreign_keys_point_down():
    wrong = [
        f"{model.__name__}.{field.name}"
        for app in LINE
        for model in apps.get_app_config(app).get_models()
        for field in model._meta.get_fields()
        if isinstance(field, models.ForeignKey | models.ManyToManyField)
        and (far := field.related_model._meta.app_label) in LINE
        and LINE.index(far) > LINE.index(app)
    ]

    assert wrong == []


def test_every_app_says_in_its_docstring_what_it_is_for():
    assert [app for app in LINE[:-1] if not (import_module(app).__doc__ or "").strip()] == []


def test_there_is_no_room_for_odds_and_ends():
    names = {"services.py", "utils.py", "helpers.py", "managers.py", "signals.py", "misc.py", "common.py"}

    assert [path for path in SOURCES if path.name in names] == []


def test_every_beat_entry_names_a_real_task():
    for entry in settings.CELERY_BEAT_SCHEDULE.values():
        module, _, name = entry["task"].rpartition(".")
        assert getattr(import_module(module), name).name == entry["task"]


@pytest.mark.parametrize("kind", types.TYPES.values(), ids=lambda kind: kind.key)
@pytest.mark.parametrize("language", [code for code, _name in settings.LANGUAGES])
def test_every_type_renders_in_every_language(kind: NotificationType, language: str):
    message = rendering.render(kind.key, kind.example, language=language)

    assert message.title
    assert "…" not in message.title
    assert "\n" not in message.title
    assert message.url.startswith(("http://", "https://"))


def test_channel_bits_never_meet():
    assert len({channel.bit for channel in channels.ALL}) == len(channels.ALL)
    assert all(bit & (bit - 1) == 0 and bit < 2**15 for bit in channels.BITS)


def test_domain_modules_know_no_celery_and_no_framework_of_a_door():
    """Asking modules wake a task by importing it late; nothing but tasks.py and config knows Celery."""
    doors = {"tasks.py", "consumers.py", "routing.py", "hub.py", "apps.py", "urls.py"}
    folders = {"views", "api", "admin", "management", "config"}
    pattern = re.compile(r"^(from|import) (celery|rest_framework|channels\.|drf_spectacular)", re.MULTILINE)
    wrong = [
        path.relative_to(CHECKOUT)
        for path in SOURCES
        if path.name not in doors
        and path.stem not in folders
        and not folders & set(path.relative_to(CHECKOUT).parts)
        and pattern.search(path.read_text())
    ]

    assert wrong == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_pages_have_no_inline_script_or_style(path: Path):
    if "mail" in path.parts:
        return  # a mail has no other place for its style
    text = path.read_text()

    assert not re.search(r"<script(?![^>]*(\bsrc=|application/json))", text)
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=\"", text)


def test_the_project_speaks_of_itself_alone():
    paths = [
        *CHECKOUT.glob("*.md"),
        *(CHECKOUT / "docs").rglob("*.md"),
        *SOURCES,
        *TEMPLATES,
    ]
    wrong = re.compile(r"/(root|work|home)/[a-z]")

    assert [path for path in paths if wrong.search(path.read_text())] == []


def test_no_two_modules_lock_with_the_same_number():
    """Advisory locks share one space in the whole database."""
    found = [number for path in SOURCES for number in re.findall(r"= (0x6265_\d{4})\b", path.read_text())]

    assert len(found) == len(set(found)) > 0
