"""A real browser against the real application. Tests wait for conditions, never for time."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import axe_playwright_python
import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from pytest_django.plugin import DjangoDbBlocker

from accounts.models import Account, Membership
from notifications import events, types
from notifications.models import Event
from tests.browser import conditions
from tests.browser.chromium import Chromium
from tests.browser.emptying import empty
from tests.browser.firefox import Firefox
from tests.browser.seat import Seat
from tests.browser.stack import Stack
from tests.push_service import PushService

PATIENCE = 1000 * conditions.PATIENCE  # in milliseconds, for the browser
expect.set_options(timeout=PATIENCE)
SETTLED = """Promise.allSettled(document.getAnimations()
    .filter((one) => one.effect.getComputedTiming().endTime !== Infinity).map((one) => one.finished))"""
AXE = (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Everything here drives the browser and commits for real: other processes have to see it."""
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.browser)
            item.add_marker(pytest.mark.xdist_group("browser"))  # one browser at a time, with --dist loadgroup
            item.add_marker(pytest.mark.django_db(transaction=True))


@pytest.fixture(autouse=True)
def emptied(transactional_db: None) -> Iterator[None]:
    """Nothing is left for the next test, even if the worker is in the middle of something."""
    yield
    empty()


@pytest.fixture(scope="package")
def stack(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A web and a worker process on this run's database and Redis."""
    with django_db_blocker.unblock():
        database = str(connection.settings_dict["NAME"])
    stack = Stack(database=database, log=tmp_path_factory.mktemp("stack") / "log")
    try:
        stack.wait()
        yield stack
    finally:
        stack.close()


@pytest.fixture(scope="package")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """One browser for all tests here. Playwright keeps a loop in this thread; the ORM must not mind."""
    before = os.environ.get("DJANGO_ALLOW_ASYNC_UNSAFE")
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    program = Chromium(tmp_path_factory.mktemp("chromium"))
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.connect_over_cdp(program.address, no_defaults=True)
            yield browser
            browser.close()
    finally:
        program.close()
        if before is None:
            del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]
        else:
            os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = before


class Device:
    """A browser profile of its own in which one member is signed in."""

    def __init__(self, context: BrowserContext, stack: Stack, member: Membership) -> None:
        self.context, self.stack, self.member = context, stack, member
        self.home = f"{stack.url}/{member.account.hub_id}/"
        self.errors: list[str] = []
        self._is_shared = context is context.browser.contexts[0] if context.browser else False

    def sign_in(self) -> None:
        """Bring the cookie of a fresh sign-in."""
        client = Client()
        client.force_login(self.member.user)
        value = client.cookies[settings.SESSION_COOKIE_NAME].value
        self.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": value, "url": self.stack.url}])

    def open(self, path: str = "") -> Page:
        """Open a page of the account in a new tab, with its socket open."""
        page = self.context.new_page()
        page.set_default_timeout(PATIENCE)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("console", lambda message: self._heard(message.type, message.text))
        with page.expect_websocket(lambda line: "/ws/live/" in line.url) as line:
            page.goto(self.home + path)
        if not line.value.is_closed():
            expect(page.locator("html")).to_have_attribute("data-live", "on")
        return page

    def leave(self) -> None:
        """Close everything; the window that tabs share stays, empty and signed out."""
        if not self._is_shared:
            self.context.close()
            return
        for page in self.context.pages[1:]:
            page.close()
        self.context.clear_cookies()

    def _heard(self, kind: str, text: str) -> None:
        if kind == "error" and not any(lost in text for lost in ("ERR_CONNECTION", "ERR_INTERNET", "WebSocket")):
            self.errors.append(text)


@pytest.fixture
def device(chromium: Browser, stack: Stack) -> Iterator[Callable[..., Device]]:
    """Sign a member in on a new device: `device(bob).open("notifications/")`.

    There each page is a window of its own, in view. With `in_tabs=True` the pages share one window, where all but
    one are hidden; there is one such device at a time. A test that holds answers back (`page.route`) makes its device
    with `service_workers="block"`: what a service worker has passed on is not always held.
    """
    devices: list[Device] = []

    def make(member: Membership, *, in_tabs: bool = False, **options: Any) -> Device:
        context = chromium.contexts[0] if in_tabs else chromium.new_context(**options)
        made = Device(context, stack, member)
        made.sign_in()
        devices.append(made)
        return made

    yield make
    for made in devices:
        made.leave()
    assert [error for made in devices for error in made.errors] == [], "the page complained"


@pytest.fixture
def service() -> Iterator[PushService]:
    server = PushService().start()
    yield server
    server.stop()


@pytest.fixture
def firefox(service: PushService) -> Iterator[Firefox]:
    program = Firefox(dom__push__serverURL=service.socket_url)
    yield program
    program.close()


@pytest.fixture
def seat(firefox: Firefox, stack: Stack) -> Callable[[Membership], Seat]:
    return lambda member: Seat(firefox, stack, member)


@pytest.fixture
def tell(account: Account) -> Callable[..., Event]:
    """Emit an event the way the application does: `tell(bob, deal="Oak")`. It arrives by worker and socket."""

    def emit(*members: Membership, type_key: str = "deals.mentioned", **data: str) -> Event:
        kind = types.TYPES[type_key]
        return events.emit(kind, audience=list(members), data=dict(kind.example) | data)

    return emit


@pytest.fixture
def no_violations() -> Callable[[Page], None]:
    """Let axe look at a page and fail with what it found."""

    def look(page: Page) -> None:
        page.evaluate(SETTLED)  # what is half faded in is paler than it will be
        page.evaluate(AXE)
        found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
        said = [
            f"{violation['id']}: {node['target']} {node['failureSummary']}"
            for violation in found["violations"]
            for node in violation["nodes"]
        ]
        assert said == [], "\n".join(said)

    return look
