"""Pop-ups that are heard: in one tab, once, and not before the browser allows it."""

import pytest
from playwright.sync_api import Page, expect

from notifications import hearing, preferences
from tests.browser.conditions import wait_for

DESKTOP_TAB = "settings/notifications/desktop/"
MENTIONED = "deals-mentioned"
STEP_IN = 500  # longer than a tab waits for the one in use
# The page reports by itself: whatever looks into it, expect() too, counts as a gesture and unlocks its sound.
REPORT = """
for (const what of ["played", "blocked", "failed"])
  document.addEventListener(`sound:${what}`, (event) => console.log(`sound ${what} ${event.detail.sound}`));
"""


def hears(page: Page) -> list[str]:
    """What becomes of sounds in a page, as it happens."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text[6:]) if message.text.startswith("sound ") else None)
    return said


@pytest.fixture
def listening(device):
    """Sign a member in on a device whose pages report their sounds."""

    def make(member, **options):
        made = device(member, **options)
        made.context.add_init_script(REPORT)
        return made

    return make


def wait_for_sound(page: Page, said: list[str], *expected: str) -> None:
    wait_for(lambda: page.wait_for_timeout(20) or said == list(expected), f"the sounds {expected}", seconds=10)


def open_untouched(person) -> tuple[Page, list[str]]:
    """A page whose line is open and into which nobody has looked yet, and what becomes of its sounds."""
    page, lines = person.context.new_page(), []
    page.on("websocket", lambda line: line.on("framereceived", lambda frame: lines.append(frame)))
    heard = hears(page)
    page.goto(person.home)
    wait_for(lambda: page.wait_for_timeout(20) or bool(lines), "an open line")
    return page, heard


def unlock(page: Page) -> None:
    page.mouse.click(5, 300)


def unfold_sound(page: Page):
    page.locator("#topic-deals > summary").click()
    link = page.locator(f"#cell-{MENTIONED}-popup .pref__sound")
    link.click()
    return link


@pytest.mark.req("N-024", "N-025")
def test_of_three_tabs_one_shows_the_popup_and_plays_its_sound_once(listening, bob, tell):
    hearing.choose(bob, {"deals.mentioned": "marimba"})
    person = listening(bob, in_tabs=True)
    tabs = [person.open() for _ in range(3)]
    heard = [hears(tab) for tab in tabs]
    unlock(tabs[2])

    tell(bob)

    expect(tabs[2].locator(".popup")).to_have_count(1)
    wait_for_sound(tabs[2], heard[2], "played marimba")
    tabs[2].wait_for_timeout(STEP_IN)
    assert heard == [[], [], ["played marimba"]]
    assert [tab.locator(".popup").count() for tab in tabs] == [0, 0, 1]


@pytest.mark.req("N-024")
def test_of_two_windows_side_by_side_one_plays(listening, bob, tell):
    person = listening(bob)
    windows = [person.open(), person.open()]
    heard = [hears(window) for window in windows]
    for window in windows:
        unlock(window)

    tell(bob)

    wait_for(lambda: windows[0].wait_for_timeout(20) or any(heard), "a sound")
    windows[0].wait_for_timeout(STEP_IN)
    assert sorted(heard) == [[], ["played chime"]]


def test_popups_that_come_all_at_once_ring_once(listening, bob):
    page = listening(bob).open()
    heard = hears(page)
    unlock(page)
    news = "document.dispatchEvent(new CustomEvent('popup:shown', {detail: {id: %d, sound: 'glass'}}));"

    page.evaluate("".join(news % number for number in (1, 2, 3)))
    wait_for_sound(page, heard, "played glass")
    page.wait_for_timeout(1_100)  # a burst is a second
    page.evaluate(news % 4)

    wait_for_sound(page, heard, "played glass", "played glass")


@pytest.mark.req("N-024")
def test_a_sound_that_the_browser_blocks_is_said_once_and_a_click_unlocks_it(listening, bob, tell):
    page, heard = open_untouched(listening(bob))
    hint = page.locator(".popups__hint")

    tell(bob, deal="One")
    wait_for_sound(page, heard, "blocked chime")
    expect(hint).to_have_text("Your browser blocks sound until you click somewhere.")
    card, words = page.locator(".popup").bounding_box(), hint.bounding_box()
    assert words["y"] + words["height"] <= card["y"], "the hint stands above the pop-up, not over it"

    unlock(page)
    expect(hint).to_have_count(0)
    tell(bob, deal="Two")
    wait_for_sound(page, heard, "blocked chime", "played chime")
    assert hint.count() == 0


def test_the_hint_comes_once_and_can_be_dismissed(listening, bob, tell):
    page, heard = open_untouched(listening(bob))
    hint = page.locator(".popups__hint")
    tell(bob, deal="One")
    wait_for_sound(page, heard, "blocked chime")
    tell(bob, deal="Two")
    wait_for_sound(page, heard, "blocked chime", "blocked chime")
    expect(page.locator(".popup")).to_have_count(2)
    expect(hint).to_have_count(1)

    hint.get_by_role("button", name="Dismiss").click()

    expect(hint).to_have_count(0)


@pytest.mark.req("N-024")
def test_whoever_wants_no_sound_hears_none_and_is_told_nothing(listening, bob, tell):
    preferences.set_options(bob, plays_sound=False)
    page = listening(bob).open()
    heard = hears(page)

    tell(bob)

    expect(page.locator(".popup")).to_have_count(1)
    page.wait_for_timeout(STEP_IN)
    assert heard == []
    expect(page.locator(".popups__hint")).to_have_count(0)


@pytest.mark.req("N-032", "N-033", "N-034")
def test_the_default_sound_is_chosen_and_previewed(listening, bob):
    page = listening(bob).open(DESKTOP_TAB)
    heard = hears(page)
    chooser = page.get_by_label("Sound selection")
    play = page.get_by_role("button", name="Play", exact=True)
    expect(chooser).to_have_value("chime")

    chooser.select_option("Glass")
    expect(page.locator("preference-grid > [data-said]")).to_have_text("Saved")
    assert heard == [], "nothing plays unasked"
    assert hearing.of(bob).default == "glass"
    names = ("Chime", "Glass", "Knock", "Marimba", "Ripple", "Desk bell")
    played = [f"played {name.lower().replace(' ', '_')}" for name in names]
    for number, name in enumerate(names, 1):
        chooser.select_option(name)
        play.click()
        wait_for_sound(page, heard, *played[:number])

    chooser.select_option("None")
    expect(play).to_be_disabled()
    wait_for(lambda: hearing.of(bob).default == "none", "saved")


@pytest.mark.req("N-024")
def test_the_checkbox_switches_sound_off(device, bob):
    page = device(bob).open(DESKTOP_TAB)
    page.get_by_label("Play a sound with each pop-up").uncheck()
    expect(page.locator("preference-grid > [data-said]")).to_have_text("Saved")
    assert not hearing.of(bob).plays


@pytest.mark.req("N-025", "N-035", "N-036")
def test_a_type_gets_a_sound_of_its_own(listening, bob, tell):
    page = listening(bob).open(DESKTOP_TAB)
    heard = hears(page)
    link = unfold_sound(page)
    row = page.locator(f"#type-{MENTIONED}")
    chooser = row.locator("select")
    expect(chooser).to_be_focused()
    expect(chooser).to_have_accessible_name("Sound: You are @mentioned on a deal record")
    expect(chooser.locator("option").first).to_have_text("Default (Chime)")
    expect(link).to_have_attribute("aria-expanded", "true")

    row.get_by_role("button", name="Play: You").click()
    wait_for_sound(page, heard, "played chime")
    chooser.select_option("Ripple")
    expect(link).to_have_text("Ripple")
    expect(link).to_have_attribute("aria-expanded", "true")
    row.get_by_role("button", name="Play: You").click()
    wait_for_sound(page, heard, "played chime", "played ripple")
    link.click()
    expect(chooser).to_have_count(0)
    expect(link).to_have_attribute("aria-expanded", "false")

    tell(bob)
    wait_for_sound(page, heard, "played chime", "played ripple", "played ripple")


def test_the_list_of_sounds_goes_with_its_popup_and_with_another_default(device, bob):
    page = device(bob).open(DESKTOP_TAB)
    unfold_sound(page)
    chooser = page.locator(f"#type-{MENTIONED} select")
    page.get_by_label("Sound selection").select_option("Knock")
    expect(chooser).to_have_count(0)
    page.locator(f"#cell-{MENTIONED}-popup .pref__sound").click()
    expect(chooser.locator("option").first).to_have_text("Default (Knock)")

    page.uncheck(f"#tick-{MENTIONED}-popup")
    expect(page.locator(f"#cell-{MENTIONED}-popup .pref__sound")).to_have_count(0)
    expect(chooser).to_have_count(0)


def test_a_sound_that_is_not_saved_goes_back_and_says_so(device, bob):
    at = device(bob, service_workers="block")
    page = at.open(DESKTOP_TAB)
    chooser = page.get_by_label("Sound selection")
    page.route("**/sound/", lambda route: route.abort("connectionrefused"))

    chooser.select_option("None")

    expect(page.get_by_role("alert").filter(has_text="Bellhop cannot be reached")).to_be_visible()
    expect(chooser).to_have_value("chime")
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_enabled()
    at.errors.clear()  # the browser reports the failed request; that was the point


@pytest.mark.req("N-035")
def test_sounds_can_be_chosen_with_the_keyboard(listening, bob):
    page = listening(bob).open(DESKTOP_TAB)
    heard = hears(page)
    page.locator("#topic-deals > summary").press("Enter")
    page.locator(f"#cell-{MENTIONED}-popup .pref__sound").press("Enter")
    expect(page.locator(f"#type-{MENTIONED} select")).to_be_focused()
    page.keyboard.press("k")  # Knock
    expect(page.locator(f"#cell-{MENTIONED}-popup .pref__sound")).to_have_text("Knock")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    wait_for_sound(page, heard, "played knock")
    assert hearing.of(bob).own == {"deals.mentioned": "knock"}


@pytest.mark.req("N-013")
def test_turn_off_sound_in_a_popup_silences_its_kind_and_can_be_undone(listening, bob, tell):
    page = listening(bob).open()
    heard = hears(page)
    unlock(page)
    tell(bob)
    page.locator(".popup action-menu > button").click()
    page.locator(".popup .menu__item", has_text="Turn off sound").click()
    expect(page.locator(".popup")).to_contain_text("makes no sound anymore")
    assert hearing.of(bob).own == {"deals.mentioned": "none"}

    tell(bob)
    expect(page.locator(".popup")).to_have_count(2)
    page.wait_for_timeout(STEP_IN)
    assert heard == ["played chime"]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".popup").first).to_contain_text("makes a sound.")
    assert hearing.of(bob).own == {}


@pytest.mark.req("N-013")
def test_turn_off_sound_under_the_bell(device, bob, tell):
    tell(bob)
    page = device(bob).open("notifications/")
    page.get_by_role("button", name="More about").first.click()
    page.locator(".menu__item:visible", has_text="Turn off sound").click()
    expect(page.locator("#list-said")).to_contain_text("makes no sound anymore")
    assert hearing.of(bob).own == {"deals.mentioned": "none"}
    page.locator("main action-menu > button").click()
    expect(page.locator(".menu__item:visible", has_text="Turn on sound")).to_be_enabled()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_hint_and_the_menu_fit_every_screen(listening, bob, tell, no_violations, tmp_path, scheme, width):
    person = listening(bob, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, heard = open_untouched(person)
    tell(bob)
    wait_for_sound(page, heard, "blocked chime")
    no_violations(page)
    page.screenshot(path=tmp_path / "hint.png")
    page.locator(".popup action-menu > button").click()
    expect(page.locator(".popup .menu__item", has_text="Turn off sound")).to_be_visible()
    no_violations(page)
    page.screenshot(path=tmp_path / "menu.png")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_the_sounds_are_sound_on_every_screen(device, bob, no_violations, tmp_path, scheme, width):
    at = device(bob, viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = at.open(DESKTOP_TAB)
    unfold_sound(page)
    expect(page.locator(f"#type-{MENTIONED} select")).to_be_visible()

    no_violations(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.locator(f"#type-{MENTIONED} select").scroll_into_view_if_needed()
    page.screenshot(path=tmp_path / "row.png")
    page.screenshot(path=tmp_path / "page.png", full_page=True)
