"""What one native application on one phone is to show, and which services can be reached from here."""

from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext_noop

from notifications.models import Platform
from notifications.push.deciding import TTL

MOST = 4000  # bytes of a payload: both services take 4,096

# Why a device gets nothing. Untranslated: kept with the device and translated when it is read.
NO_FCM = gettext_noop("This installation has no credentials for Firebase Cloud Messaging.")
NO_APNS = gettext_noop("This installation has no key for the Apple Push Notification service.")
WHERE = {Platform.FCM: "Firebase Cloud Messaging", Platform.APNS: "Apple Push Notification service"}


@dataclass(frozen=True)
class DeviceJob:
    """One notification for one device."""

    ref: int  # what the caller knows it by
    row_id: int
    platform: str
    address: str  # the digest of its token
    token: str
    event_id: int
    title: str
    body: str
    data: dict[str, str]  # for the application: where a touch leads
    unread: int | None = None  # for the number on its icon
    ttl: int = TTL

    @property
    def where(self) -> str:
        return WHERE[Platform(self.platform)]

    @property
    def collapses_as(self) -> str:
        """A second one of this name replaces the first."""
        return f"n{self.event_id}"


def available() -> set[str]:
    """The platforms whose service this installation has credentials for."""
    return {platform for platform in Platform.values if not why_not(platform)}


def why_not(platform: str) -> str:
    """Why nothing can be sent to a platform from here, untranslated; nothing where it can."""
    if platform == Platform.FCM:
        return "" if settings.FCM_CREDENTIALS else NO_FCM
    return "" if settings.APNS_KEY else NO_APNS
