"""Six sounds: the files, choosing them, hearing them, and turning them off where they are met."""

import importlib.util
import io
import json
import wave
from pathlib import Path

import pytest
from django.contrib.staticfiles import finders
from django.urls import reverse

from notifications import events, fanout, hearing, live, preferences, sounds, types
from notifications.hearing import UnknownSound
from notifications.models import MemberSettings, SoundChoice
from notifications.preferences import UnknownCell

KIND = types.TYPES["deals.mentioned"]
OTHER = types.TYPES["deals.stage_changed"]
MAIL_ONLY = types.TYPES["workflows.friday_summary"]
PIECES = {"HTTP_X_REQUESTED_WITH": "preference-grid"}
HTMX = {"HX-Request": "true"}


def url(name, hub_id=1001, **given):
    return reverse(f"notifications:{name}", kwargs={"hub_id": hub_id, **given})


@pytest.fixture
def as_bob(client, bob):
    client.force_login(bob.user)
    return client


@pytest.fixture
def event(bob):
    event = events.emit(KIND, audience=[bob], data=dict(KIND.example))
    fanout.run_due()
    return event


def maker():
    """tools/make_sounds.py as a module."""
    path = Path(__file__).resolve().parents[2] / "tools" / "make_sounds.py"
    spec = importlib.util.spec_from_file_location("make_sounds", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def heard(*members, event):
    """The sound in what is told to each member's tabs."""
    rows = {row["id"]: row["sound"] for row in live._told(event, [member.pk for member in members])}
    return [rows[member.pk] for member in members]


# --- The files


@pytest.mark.req("N-032")
def test_there_are_six_sounds_and_each_is_what_the_script_makes():
    made = {key: maker().finished(make()) for key, make in maker().SOUNDS.items()}

    assert list(made) == list(sounds.SOUNDS)
    assert len(set(made.values())) == 6
    for key, sound in sounds.SOUNDS.items():
        assert Path(finders.find(sound.path)).read_bytes() == made[key]


@pytest.mark.parametrize("key", sounds.SOUNDS)
def test_a_sound_is_short_small_not_too_loud_and_ends_in_silence(key):
    raw = Path(finders.find(sounds.SOUNDS[key].path)).read_bytes()
    with wave.open(io.BytesIO(raw)) as file:
        seconds = file.getnframes() / file.getframerate()
        levels = memoryview(file.readframes(file.getnframes())).cast("h")
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)

    assert 0.3 <= seconds <= 0.9
    assert len(raw) < 60_000
    assert 0.55 < max(map(abs, levels)) / 32_768 < 0.65
    assert abs(levels[0]) < 300
    assert levels[-1] == 0


def test_pages_may_play_our_own_sounds_and_no_others(as_bob):
    page = as_bob.get(url("list"))

    assert "media-src 'self';" in page["Content-Security-Policy"] + ";"
    assert "/static/sounds/desk_bell.wav" in page.content.decode()


# --- Choosing and hearing


@pytest.mark.req("N-024", "N-025", "N-033", "N-035")
def test_a_types_own_sound_wins_over_the_default_and_none_is_silence(bob, carol, event):
    fanned = events.emit(KIND, audience=[bob, carol], data=dict(KIND.example))
    fanout.run_due()
    assert heard(bob, carol, event=fanned) == ["chime", "chime"]

    hearing.set_default(bob, "glass")
    assert heard(bob, carol, event=fanned) == ["glass", "chime"]
    hearing.choose(bob, {KIND.key: "knock", OTHER.key: "none"})
    assert heard(bob, carol, event=fanned) == ["knock", "chime"]
    assert hearing.of(bob).of(OTHER.key) == "none"
    hearing.choose(bob, {KIND.key: "none"})
    assert heard(bob, event=fanned) == [None]
    hearing.choose(bob, {KIND.key: None})
    hearing.set_default(bob, "none")
    assert heard(bob, event=fanned) == [None]
    hearing.set_default(bob, None)
    assert heard(bob, event=fanned) == ["chime"]
    assert list(SoundChoice.objects.values_list("type", flat=True)) == [OTHER.key]


@pytest.mark.req("N-024")
def test_with_sound_switched_off_nothing_is_heard_whatever_was_chosen(bob, event):
    hearing.choose(bob, {KIND.key: "knock"})
    preferences.set_options(bob, plays_sound=False)

    assert heard(bob, event=event) == [None]
    assert hearing.of(bob).of(KIND.key) == "none"
    preferences.set_options(bob, plays_sound=True)
    assert heard(bob, event=event) == ["knock"]


def test_what_is_told_and_what_is_shown_agree(bob, event):
    for plays in (True, False):
        preferences.set_options(bob, plays_sound=plays)
        for default in (None, "ripple", "none"):
            hearing.set_default(bob, default)
            for own in (None, "marimba", "none"):
                hearing.choose(bob, {KIND.key: own})
                shown = hearing.of(bob).of(KIND.key)
                assert heard(bob, event=event) == [None if shown == "none" else shown]


def test_a_sound_that_is_no_more_gives_way_to_the_built_in_one(bob, event):
    MemberSettings.objects.create(member=bob, sound="gong")
    assert heard(bob, event=event) == ["chime"]
    SoundChoice.objects.create(member=bob, type=KIND.key, sound="gong")
    assert heard(bob, event=event) == ["chime"]
    assert hearing.of(bob).of(KIND.key) == "chime"


def test_what_there_is_not_is_refused_and_nothing_changes(bob, alice):
    for chosen, refusal in [
        ({KIND.key: "glass", OTHER.key: "gong"}, UnknownSound),
        ({KIND.key: "glass", "no.such": "glass"}, UnknownCell),
        ({KIND.key: "glass", MAIL_ONLY.key: "glass"}, UnknownCell),
        ({KIND.key: "glass", "payments.failed": "glass"}, UnknownCell),  # not for members
        ({KIND.key: ""}, UnknownSound),
    ]:
        with pytest.raises(refusal):
            hearing.choose(bob, chosen)
    with pytest.raises(UnknownSound):
        hearing.set_default(bob, "gong")
    assert not SoundChoice.objects.exists()
    assert not MemberSettings.objects.exists()


def test_looking_up_the_sounds_costs_no_further_query(bob, carol, event, django_assert_num_queries):
    hearing.choose(bob, {KIND.key: "knock"})
    with django_assert_num_queries(1):
        live._told(event, [bob.pk, carol.pk])


# --- Settings


def test_a_stranger_finds_no_sounds_to_set(client, mallory, bob):
    for name, given in [("settings-sound", {}), ("settings-sound-of", {"type_key": KIND.key}), ("sound", {})]:
        client.force_login(mallory.user)
        assert client.post(url(name, **given), {"sound": "glass"}).status_code == 404
        client.logout()
        assert client.post(url(name, **given), {"sound": "glass"}).status_code == 302
    assert not SoundChoice.objects.exists()
    assert not MemberSettings.objects.exists()


@pytest.mark.req("N-033", "N-034")
def test_the_default_sound_is_set_in_the_popup_section(as_bob, bob):
    page = as_bob.get(url("settings-desktop")).content.decode()
    assert "Sound selection" in page
    for sound in sounds.SOUNDS.values():
        assert f'data-plays="{sound.key}"' in page
    assert "Play a sound with each pop-up" in page

    said = as_bob.post(url("settings-sound"), {"sound": "ripple"}, **PIECES)
    assert "Saved" in said.content.decode()
    assert hearing.of(bob).default == "ripple"
    assert as_bob.post(url("settings-sound"), {"sound": "none"}).status_code == 302
    assert '<option value="none" data-plays="" selected>' in as_bob.get(url("settings-desktop")).content.decode()


@pytest.mark.req("N-024")
def test_the_checkbox_turns_all_sound_off(as_bob, bob):
    as_bob.post(url("settings-option", tab="desktop"), {"option": "plays_sound"})
    assert not hearing.of(bob).plays
    as_bob.post(url("settings-option", tab="desktop"), {"option": "plays_sound", "on": "on"})
    assert hearing.of(bob).plays


@pytest.mark.req("N-035", "N-036")
def test_each_popup_that_comes_has_a_sound_to_unfold(as_bob, bob):
    row_link = f'href="{url("settings-sound-of", type_key=KIND.key)}"'
    assert row_link in as_bob.get(url("settings-desktop")).content.decode()

    unfolded = as_bob.get(url("settings-sound-of", type_key=KIND.key), **PIECES).content.decode()
    assert "Default (Chime)" in unfolded
    assert "<html" not in unfolded
    said = as_bob.post(url("settings-sound-of", type_key=KIND.key), {"sound": "desk_bell"}, **PIECES).content.decode()
    assert f'aria-label="Sound of {KIND.label}: Desk bell"' in said
    assert hearing.of(bob).own == {KIND.key: "desk_bell"}
    as_bob.post(url("settings-sound-of", type_key=KIND.key), {"sound": ""}, **PIECES)
    assert hearing.of(bob).own == {}

    preferences.choose(bob, {(KIND.key, "popup"): False})
    assert row_link not in as_bob.get(url("settings-desktop")).content.decode()
    assert "Sound of" not in as_bob.get(url("settings-email")).content.decode()


@pytest.mark.req("N-035")
def test_the_sound_of_a_type_is_a_page_of_its_own_without_scripts(as_bob, bob):
    preferences.set_options(bob, plays_sound=False)
    page = as_bob.get(url("settings-sound-of", type_key=KIND.key)).content.decode()
    assert "<html" in page
    assert "silent for now" in page

    answer = as_bob.post(url("settings-sound-of", type_key=KIND.key), {"sound": "glass"})
    assert answer["Location"] == f"{url('settings-desktop')}#type-deals-mentioned"
    assert hearing.of(bob).own == {KIND.key: "glass"}


def test_a_wrong_sound_is_refused_in_words(as_bob):
    for name, given in [("settings-sound", {}), ("settings-sound-of", {"type_key": KIND.key})]:
        said = as_bob.post(url(name, **given), {"sound": "gong"}, **PIECES)
        assert said.status_code == 422
        assert "There is no such sound" in said.content.decode()
        assert as_bob.post(url(name, **given), {"sound": "gong"}).status_code == 302
    for key in ("no.such", MAIL_ONLY.key, "payments.failed"):
        assert as_bob.get(url("settings-sound-of", type_key=key)).status_code == 404
    assert not SoundChoice.objects.exists()


# --- The menu


@pytest.mark.req("N-013")
@pytest.mark.parametrize("surface", ["bell", "list", "popup"])
def test_turn_off_sound_silences_that_kind_says_so_and_can_be_undone(as_bob, bob, event, surface):
    hearing.choose(bob, {KIND.key: "ripple"})

    def menu():
        return as_bob.get(url("menu", event_id=event.pk), {"at": surface}).content.decode()

    assert "Turn off sound" in menu()
    said = as_bob.post(url("sound"), {"type": KIND.key, "at": surface, "to": "none"}, headers=HTMX)
    assert "makes no sound anymore" in said.content.decode()
    assert hearing.of(bob).own == {KIND.key: "none"}
    assert preferences.standing(bob).own == {}
    assert "Turn on sound" in menu()

    undo = {"type": KIND.key, "at": surface, "to": "ripple"}
    assert all(f'name="{name}" value="{value}"' in said.content.decode() for name, value in undo.items())
    as_bob.post(url("sound"), undo)
    assert hearing.of(bob).own == {KIND.key: "ripple"}


@pytest.mark.req("N-013")
def test_turn_on_sound_is_heard_even_where_the_default_is_silence(as_bob, bob, event):
    hearing.choose(bob, {KIND.key: "none"})
    said = as_bob.post(url("sound"), {"type": KIND.key, "at": "bell", "to": "on"}, headers=HTMX)
    assert "makes a sound" in said.content.decode()
    assert hearing.of(bob).own == {}

    hearing.set_default(bob, "none")
    as_bob.post(url("sound"), {"type": KIND.key, "at": "bell", "to": "on"})
    assert hearing.of(bob).of(KIND.key) == "chime"
    as_bob.post(url("sound"), {"type": KIND.key, "at": "bell", "to": "default"})
    assert hearing.of(bob).of(KIND.key) == "none"


def test_the_menu_says_why_there_is_no_sound_to_turn_off(as_bob, bob, event):
    def menu():
        return as_bob.get(url("menu", event_id=event.pk), {"at": "bell"}).content.decode()

    preferences.set_options(bob, plays_sound=False)
    assert "You switched off the sound of all pop-ups" in menu()
    preferences.choose(bob, {(KIND.key, "popup"): False})
    assert "Its pop-ups are off" in menu()
    assert f'hx-post="{url("sound")}"' not in menu()


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        ({"type": KIND.key, "at": "roof", "to": "none"}, "Say which kind of notification"),
        ({"type": KIND.key, "at": "bell", "to": "gong"}, "Say which kind of notification"),
        ({"type": "no.such", "at": "bell", "to": "none"}, "There is no such notification with a pop-up for you."),
    ],
)
def test_a_wrong_request_to_silence_is_refused_in_words(as_bob, sent, words):
    said = as_bob.post(url("sound"), sent, headers=HTMX)
    assert said.status_code == 422
    assert words in said.content.decode()
    assert not SoundChoice.objects.exists()


def test_the_page_knows_where_the_sounds_are(as_bob):
    page = as_bob.get(url("list")).content.decode()
    files = page.split('data-files="')[1].split('"')[0].replace("&quot;", '"')
    assert list(json.loads(files)) == list(sounds.SOUNDS)
