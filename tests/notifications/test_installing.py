"""The application as people install it: manifest, icons, offline page, and what the service worker keeps."""

import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
from django.conf import settings
from django.contrib.staticfiles import finders
from django.urls import reverse

from notifications import installing


def maker() -> ModuleType:
    """tools/make_icons.py as a module."""
    path = Path(__file__).resolve().parents[2] / "tools" / "make_icons.py"
    spec = importlib.util.spec_from_file_location("make_icons", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def static_file(url: str) -> bytes:
    found = finders.find(url.removeprefix("/static/"))
    assert found, url
    return Path(found).read_bytes()


@pytest.mark.req("N-037")
def test_the_manifest_says_what_an_installed_application_needs(client):
    answer = client.get("/manifest.webmanifest")

    assert answer["Content-Type"] == "application/manifest+json"
    said = answer.json()
    assert (said["id"], said["scope"], said["start_url"], said["display"]) == ("/", "/", "/", "standalone")
    for icon in [*said["icons"], *(icon for shortcut in said["shortcuts"] for icon in shortcut["icons"])]:
        head = static_file(icon["src"])[16:24]
        assert f"{int.from_bytes(head[:4])}x{int.from_bytes(head[4:])}" == icon["sizes"]
    assert {(icon["sizes"], icon["purpose"]) for icon in said["icons"]} == {
        (sides, purpose) for sides in ("192x192", "512x512") for purpose in ("any", "maskable")
    }


def test_the_manifests_colours_are_those_of_the_tokens():
    tokens = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    light = dict(re.findall(r"--([\w-]+): light-dark\((#\w+),", tokens))

    assert (light["canvas"], light["surface"]) == (installing.GROUND, installing.BAR)


def test_the_theme_colours_of_pages_are_those_of_the_tokens():
    tokens = (settings.BASE_DIR / "static/css/tokens.css").read_text()
    head = (settings.BASE_DIR / "templates/components/head.html").read_text()

    (surface,) = re.findall(r"--surface: light-dark\((#\w+), (#\w+)\)", tokens)
    assert tuple(re.findall(r'name="theme-color"[^>]*content="(#\w+)"', head)) == surface


def test_the_icons_are_what_the_script_draws():
    drawing = maker()
    for name in ("icon-192.png", "maskable-192.png", "touch-180.png"):
        side, ground, bell = drawing.ICONS[name]
        assert drawing.pixels_of((drawing.FOLDER / name).read_bytes()) == drawing.draw(side, ground, bell), name
    name, side = drawing.BADGE
    assert drawing.pixels_of((drawing.FOLDER / name).read_bytes()) == drawing.draw_badge(side)


def test_every_page_leads_to_the_manifest(client, bob):
    for page in (client.get(reverse("account_login")), _signed_in(client, bob).get("/1001/notifications/")):
        text = page.content.decode()
        assert '<link rel="manifest" href="/manifest.webmanifest">' in text
        assert "viewport-fit=cover" in text
        assert 'rel="apple-touch-icon"' in text
        assert "manifest-src 'self'" in page["Content-Security-Policy"]


@pytest.mark.req("N-037")
def test_the_offline_page_is_the_same_for_everybody_and_holds_nothing_of_anybody(client, bob):
    stranger = client.get("/offline/").content
    member = _signed_in(client, bob).get("/offline/")

    assert member.content == stranger
    assert b"csrf" not in stranger
    assert "You are offline" in stranger.decode()
    assert "csrftoken" not in member.cookies


def test_the_worker_keeps_the_offline_page_and_its_files_and_nothing_else(client):
    first, _rest = client.get("/sw.js").content.decode().split("\n", 1)
    shell = json.loads(first.removeprefix("const SHELL = ").removesuffix(";"))

    page = client.get(shell["page"]).content.decode()
    fetched = set(re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js)|/static/img/(?:mark|favicon)\.svg)"', page))
    assert fetched == set(shell["files"]), "the offline page is drawn with other files than are kept"
    assert all(static_file(url) for url in [*shell["files"], shell["badge"]])


def test_the_workers_version_changes_with_the_offline_page(client, monkeypatch):
    before = client.get("/sw.js").content.split(b"\n", 1)[0]
    installing._shell.cache_clear()
    monkeypatch.setattr(installing, "offline_page", lambda: "another")

    try:
        assert client.get("/sw.js").content.split(b"\n", 1)[0] != before
    finally:
        installing._shell.cache_clear()


@pytest.mark.parametrize("to", ["notifications", "settings"])
def test_a_shortcut_leads_to_the_account_one_worked_in_last(client, bob, to):
    assert client.get(f"/app/{to}/")["Location"].startswith("/accounts/login/")

    answer = _signed_in(client, bob).get(f"/app/{to}/")

    assert answer["Location"].startswith("/1001/")
    assert client.get("/app/elsewhere/").status_code == 404


def test_a_shortcut_of_somebody_without_an_account_leads_to_the_page_that_says_so(client, bob):
    bob.is_active = False
    bob.save()

    assert _signed_in(client, bob).get("/app/settings/")["Location"] == "/"


def _signed_in(client, member):
    client.force_login(member.user)
    return client
