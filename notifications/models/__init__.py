"""What happened, who has it, how it travelled, and who wants what where."""

from notifications.models.deliveries import DailyCount, Delivery, DeliveryStatus, Merge, Redrive
from notifications.models.events import BELL, Event, Held, Hushed, Notification
from notifications.models.operations import Canary, SandboxMail
from notifications.models.preferences import (
    AccountDefault,
    Cells,
    ChoiceRecord,
    How,
    Lock,
    MemberSettings,
    Preference,
    PreferenceChange,
    Profile,
    ProfileCells,
    SoundChoice,
)
from notifications.models.quiet import QuietHours, Silence, Snooze
from notifications.models.receivers import (
    BrowserSubscription,
    Connection,
    Device,
    ForgottenBrowser,
    Platform,
    WebhookAttempt,
    digest_of,
)

__all__ = [
    "BELL",
    "AccountDefault",
    "BrowserSubscription",
    "Canary",
    "Cells",
    "ChoiceRecord",
    "Connection",
    "DailyCount",
    "Delivery",
    "DeliveryStatus",
    "Device",
    "Event",
    "ForgottenBrowser",
    "Held",
    "How",
    "Hushed",
    "Lock",
    "MemberSettings",
    "Merge",
    "Notification",
    "Platform",
    "Preference",
    "PreferenceChange",
    "Profile",
    "ProfileCells",
    "QuietHours",
    "Redrive",
    "SandboxMail",
    "Silence",
    "Snooze",
    "SoundChoice",
    "WebhookAttempt",
    "digest_of",
]
