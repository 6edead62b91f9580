"""The task digest's card, as people meet it: on the E-mail tab, on a phone, in both schemes."""

import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from crm import records
from crm.digests import schedules, standing


@pytest.mark.req("N-141")
def test_the_card_on_the_email_tab_turns_it_on_skips_and_takes_back(
    device: Callable[..., Any], bob: Any, no_violations: Callable[[Page], None]
) -> None:
    late = datetime.now(UTC) - timedelta(days=1)
    for name in ("Call Mia Lind back", "Send the revised offer"):
        records.create(
            bob.account, "tasks", {"name": name, "due_at": f"{late:%Y-%m-%dT%H:%M:%SZ}", "owner": bob.pk}, by=bob
        )
    page = device(bob).open("settings/notifications/email/")
    card = page.locator("#task-digest")
    expect(card.get_by_label("How often")).to_have_value("off")

    card.get_by_label("How often").select_option("weekdays")
    card.get_by_label("At").select_option("9")
    card.get_by_role("button", name="Save").press("Enter")
    expect(card).to_contain_text("2 tasks so far")
    no_violations(page)
    _picture(page, "on")

    card.get_by_role("button", name="Skip this one").press("Enter")
    expect(card).to_contain_text("is left out")
    card.get_by_role("button", name="Undo").press("Enter")
    expect(card).to_contain_text("Next digest:")

    card.get_by_role("button", name="Send now").press("Enter")
    expect(card).to_contain_text("Last digest:")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_on_a_phone(
    device: Callable[..., Any], bob: Any, scheme: str, no_violations: Callable[[Page], None]
) -> None:
    schedules.choose(bob, frequency="weekly")
    page = device(bob, viewport={"width": 360, "height": 780}, color_scheme=scheme).open("settings/task-digest/")

    expect(page.locator("#task-digest")).to_contain_text("nothing due so far")
    expect(page.get_by_role("button", name="Send now")).to_be_disabled()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    no_violations(page)
    _picture(page, f"phone-{scheme}")
    assert standing.of(bob).frequency == "weekly"


def _picture(page: Page, name: str) -> None:
    """A picture for people, where somebody asked for it."""
    if folder := os.environ.get("BELLHOP_PICTURES"):
        page.screenshot(path=f"{folder}/digest-{name}.png", full_page=True)
