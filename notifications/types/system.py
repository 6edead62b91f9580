"""System: exports, imports, integrations, and the messages that nobody can turn off (N-005)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic
from notifications.types.declaring import CHANNELS

TOPIC = Topic(
    "system",
    _("System"),
    note=_("Notifications about large exports are set in the import and export settings."),
    note_page="crm:exports",
)

EXPORT_READY = TOPIC.type(
    "export_ready",
    label=_("Your export is ready for download"),
    title=_("Your export “{file}” is ready"),
    body=_("Rows: {rows}. The download is kept for {days} days."),
    example={"file": "contacts-2026-11-22.csv", "rows": 18250, "days": 30, "url": "/1001/exports/52/"},
    defaults={"bell", "email"},
    requirements=("N-131",),
)

IMPORT_FINISHED = TOPIC.type(
    "import_finished",
    label=_("Your import has finished"),
    title=_("Your import “{file}” has finished"),
    body=_("New: {created}, updated: {updated}, with errors: {failed}."),
    example={
        "file": "trade-fair-2026.csv",
        "created": 1204,
        "updated": 87,
        "failed": 3,
        "url": "/1001/imports/31/",
    },
    defaults={"bell", "email"},
    requirements=("N-132",),
)

SALESFORCE_PAUSED = TOPIC.type(
    "salesforce_paused",
    label=_("Your Salesforce integration is paused"),
    title=_("The Salesforce integration is paused"),
    body=_("Reason: {reason}."),
    example={
        "reason": "the daily limit of calls is used up",
        "url": "/1001/settings/integrations/salesforce/",
    },
    defaults={"bell", "email"},
    requirements=("N-133",),
)

SALESFORCE_SYNC_ERROR = TOPIC.type(
    "salesforce_sync_error",
    label=_("There is a Salesforce sync error"),
    title=_("Salesforce could not sync “{record}”"),
    body="{error}",
    example={
        "record": "Fjordline Logistics",
        "error": "The field “Region” takes only values from its list.",
        "url": "/1001/settings/integrations/salesforce/errors/",
    },
    defaults={"bell", "email"},
    requirements=("N-134",),
)

SALESFORCE_ACCESS_REQUESTED = TOPIC.type(
    "salesforce_access_requested",
    label=_("A Salesforce user requests access to a record"),
    title=_("{requester} asks for access to “{record}”"),
    body=_("The request comes from Salesforce."),
    example={"requester": "Ines Duarte", "record": "Nordic Oak 2027", "url": "/1001/deals/7/access/"},
    defaults={"bell", "popup", "email"},
    requirements=("N-135",),
)

FIRST_SYNC_FINISHED = TOPIC.type(
    "first_sync_finished",
    label=_("Your initial data synchronisation has finished"),
    title=_("The first synchronisation with {app} has finished"),
    body=_("Records: {records}."),
    example={"app": "Warehouse One", "records": 40312, "url": "/1001/settings/integrations/warehouse-one/"},
    defaults={"bell", "email"},
    requirements=("N-136",),
)

SUPPORT_MESSAGE = TOPIC.type(
    "support_message",
    label=_("Our support writes to you"),
    title=_("Support: {subject}"),
    body="{message}",
    example={
        "subject": "Your request 40218",
        "message": "We have restored the deleted list. Please check it.",
        "url": "/1001/support/requests/40218/",
    },
    required={"bell", "email"},
    requirements=("N-005",),
)

BILLING_MESSAGE = TOPIC.type(
    "billing_message",
    label=_("There is something about your bill"),
    title=_("Billing: {subject}"),
    body="{message}",
    example={
        "subject": "Your card expires this month",
        "message": "Please add another card before 30 November, so that nothing is interrupted.",
        "url": "/1001/settings/billing/",
    },
    required={"bell", "email"},
    requirements=("N-005",),
)

# What was held in quiet hours or during a pause, told at once afterwards. Each one goes only where something was held.
CATCH_UP = TOPIC.type(
    "catch_up",
    label=_("A summary of what was held while you wanted to be left alone"),
    title=_("While you were away: {count} notifications"),
    body="{what}",
    example={
        "count": 7,
        "what": "Deals 3, Tickets 2, Tasks 2",
        "listed": "Ann mentioned you on “Nordic Oak 2027”\t/1001/notifications/4711/open/",
        "url": "/1001/notifications/?unread=on",
    },
    only=CHANNELS - {"bell"},
    defaults=CHANNELS - {"bell"},
)
