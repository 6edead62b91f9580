"""The ways to reach a member. To add one: write its file, list it here."""

from collections.abc import Iterable

from notifications.channels.base import Carrier, Channel
from notifications.channels.bell import Bell
from notifications.channels.browser import Browser
from notifications.channels.connected import Connected
from notifications.channels.discord import Discord
from notifications.channels.email import Email
from notifications.channels.google_chat import GoogleChat
from notifications.channels.mobile import Mobile
from notifications.channels.more_apps import MoreApps
from notifications.channels.popup import Popup
from notifications.channels.slack import Slack
from notifications.channels.teams import Teams
from notifications.channels.telegram import Telegram
from notifications.channels.webhook import Webhook

INSIDE: tuple[Channel, ...] = (Bell(), Popup())
APPS: tuple[Connected, ...] = (Slack(), Teams(), GoogleChat(), Discord(), Telegram(), Webhook(), MoreApps())
CARRIERS: tuple[Carrier, ...] = (Email(), Browser(), Mobile(), *APPS)

CARRIER: dict[str, Carrier] = {carrier.key: carrier for carrier in CARRIERS}
APP: dict[str, Connected] = {app.key: app for app in APPS}
ALL: tuple[Channel, ...] = (*INSIDE, *CARRIERS)
CHANNELS: dict[str, Channel] = {channel.key: channel for channel in ALL}
BITS: tuple[int, ...] = tuple(channel.bit for channel in ALL)
CARRIED: int = sum(channel.bit for channel in CARRIERS)


def mask(keys: Iterable[str]) -> int:
    """The channels named by `keys` as one bit mask."""
    return sum(CHANNELS[key].bit for key in set(keys))


def keys_of(bits: int) -> list[str]:
    """The keys of the channels in a mask, in the order of the list."""
    return [channel.key for channel in ALL if channel.bit & bits]
