"""A member at a Firefox, and what a member at some browser elsewhere receives."""

import json

from django.conf import settings
from django.test import Client

from accounts.models import Membership
from notifications.models import BrowserSubscription
from tests.browser.conditions import wait_for
from tests.browser.firefox import Firefox
from tests.browser.stack import Stack
from tests.push_service import PushService, Receiver

SHOWN = """navigator.serviceWorker.getRegistration("/").then((found) => found ? found.getNotifications() : [])
    .then((list) => JSON.stringify(list.map((one) => ({title: one.title, tag: one.tag, ...one.data}))))"""


class Seat:
    """A member at a Firefox."""

    def __init__(self, firefox: Firefox, stack: Stack, member: Membership) -> None:
        self.firefox, self.member = firefox, member
        self.home = f"{stack.url}/{member.account.hub_id}/"
        client = Client()
        client.force_login(member.user)
        firefox.bring_cookie(settings.SESSION_COOKIE_NAME, client.cookies[settings.SESSION_COOKIE_NAME].value)

    def settle(self) -> None:
        self.firefox.open(self.home + "settings/notifications/desktop/")
        self.wait('document.querySelector("push-browser").dataset.ready === ""', "the Browser section is ready")

    @property
    def state(self) -> str:
        return str(self.firefox.js('document.querySelector("push-browser").dataset.state'))

    def press(self, what: str) -> None:
        self.firefox.js(f"""document.querySelector('push-browser [data-{what}]').click()""")

    def allow(self) -> None:
        """Press “Allow notifications” and answer the browser's question with yes."""
        self.settle()
        assert self.state == "unasked"
        self.firefox.allow(self.home[: self.home.index("/", 8)])
        self.press("allow")
        wait_for(lambda: self.state == "allowed", "this browser is allowed")

    def shown(self) -> list[dict[str, object]]:
        return list(json.loads(self.firefox.js(SHOWN)))

    def wait(self, expression: str, what: str) -> None:
        wait_for(lambda: bool(self.firefox.js(expression)), what)


def subscribe(member: Membership, service: PushService) -> Receiver:
    """As if the member had allowed notifications in a browser somewhere."""
    receiver = Receiver(service)
    given = receiver.subscription
    BrowserSubscription.objects.create(user=member.user, endpoint=given["endpoint"], **given["keys"])
    return receiver
