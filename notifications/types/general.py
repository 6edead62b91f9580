"""General: what belongs to no one tool, under four headings.

The older list under General is merged in: projects (N-095), associations (N-096) and documents (N-098)
here, its comments in the topic Comments.
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic(
    "general",
    _("General"),
    groups={
        "marketplace": _("Marketplace and account"),
        "approvals": _("Approvals"),
        "projects": _("Projects"),
        "records": _("Record updates"),
    },
)

REVIEW_UPDATED = TOPIC.type(
    "review_updated",
    label=_("A review you wrote or reported in a marketplace is updated"),
    title=_("Your review of “{listing}”: {news}"),
    example={
        "listing": "Calendar Bridge",
        "news": "the provider has answered",
        "url": "/1001/marketplace/reviews/15/",
    },
    defaults={"bell"},
    group="marketplace",
    requirements=("N-099",),
)

COOKIE_SCAN_FINISHED = TOPIC.type(
    "cookie_scan_finished",
    label=_("A cookie scan has finished"),
    title=_("The cookie scan of {domain} has finished"),
    body=_("Cookies found: {cookies}."),
    example={"domain": "fjordline.example", "cookies": 23, "url": "/1001/settings/privacy/scans/4/"},
    defaults={"bell"},
    group="marketplace",
    requirements=("N-100",),
)

IMPORT_ROLLED_BACK = TOPIC.type(
    "import_rolled_back",
    label=_("The rollback of an import has finished"),
    title=_("The import “{file}” has been rolled back"),
    body=_("Records removed: {removed}."),
    example={"file": "trade-fair-2026.csv", "removed": 1204, "url": "/1001/imports/31/"},
    defaults={"bell", "email"},
    group="marketplace",
    requirements=("N-101",),
)

APPROVAL_REQUESTED = TOPIC.type(
    "approval_requested",
    label=_("A colleague requests your approval"),
    title=_("{actor} asks you to approve “{item}”"),
    body=_("“{message}”"),
    example={
        "actor": "Dewi Pratama",
        "item": "Winter newsletter",
        "message": "It should go out on Thursday morning.",
        "url": "/1001/approvals/19/",
    },
    defaults={"bell", "popup", "email"},
    group="approvals",
    requirements=("N-102",),
)

APPROVAL_CANCELLED = TOPIC.type(
    "approval_cancelled",
    label=_("A colleague cancels an approval request"),
    title=_("{actor} no longer needs your approval of “{item}”"),
    example={"actor": "Dewi Pratama", "item": "Winter newsletter", "url": "/1001/approvals/19/"},
    defaults={"bell"},
    group="approvals",
    requirements=("N-103",),
)

APPROVAL_GRANTED = TOPIC.type(
    "approval_granted",
    label=_("A colleague approves your request"),
    title=_("{actor} approved “{item}”"),
    example={"actor": "Alice Moreau", "item": "Landing page, spring offer", "url": "/1001/approvals/21/"},
    defaults={"bell", "popup", "email"},
    group="approvals",
    requirements=("N-104",),
)

PROJECT_UPDATED = TOPIC.type(
    "project_updated",
    label=_("A project assigned to you has an update"),
    title=_("{actor} updated the project “{project}”"),
    body="{change}",
    example={
        "actor": "Chiara Ricci",
        "project": "New help centre",
        "change": "The launch moved to 3 February.",
        "url": "/1001/projects/8/",
    },
    defaults={"bell"},
    group="projects",
    requirements=("N-095", "N-105"),
)

MENTIONED_ON_PROJECT = TOPIC.type(
    "mentioned_on_project",
    label=_("You are @mentioned on a project"),
    title=_("{actor} mentioned you on the project “{project}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Bilal Haddad",
        "project": "New help centre",
        "excerpt": "@Ann, who writes the article on returns?",
        "url": "/1001/projects/8/#comment-12",
    },
    defaults={"bell", "popup", "email"},
    group="projects",
    requirements=("N-106",),
)

RECORD_ASSOCIATED = TOPIC.type(
    "record_associated",
    label=_("A record you own or follow is associated with another record"),
    title=_("{actor} associated “{record}” with “{other}”"),
    example={
        "actor": "Ann",
        "record": "Nordic Oak 2027",
        "other": "Mia Lind",
        "url": "/1001/deals/7/",
    },
    defaults={"bell"},
    group="records",
    requirements=("N-096", "N-107"),
)

RECORDS_ASSIGNED = TOPIC.type(
    "records_assigned",
    label=_("Several records or tasks are assigned to you within five minutes"),
    title=_("You have been assigned {records}"),
    example={"records": "2 contacts and 5 tasks", "url": "/1001/assigned/77/"},
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    group="records",
)

ACTIVITY_LOGGED = TOPIC.type(
    "activity_logged",
    label=_("A new activity is logged on a record you own"),
    title=_("{actor} logged an activity on “{record}”"),
    body="{activity}",
    example={
        "actor": "Chiara Ricci",
        "record": "Fjordline Logistics",
        "activity": "Meeting: walk through the new warehouse",
        "url": "/1001/companies/58/activities/980/",
    },
    defaults={"bell"},
    group="records",
    requirements=("N-108",),
)

DOCUMENT_VIEWED = TOPIC.type(
    "document_viewed",
    label=_("Someone views a document you own or sent"),
    title=_("{viewer} viewed “{document}”"),
    body=_("Pages read: {pages}."),
    example={
        "viewer": "Grace Okafor",
        "document": "Service agreement 2027.pdf",
        "pages": "6 of 9",
        "url": "/1001/documents/44/views/",
    },
    defaults={"bell", "popup"},
    group="records",
    requirements=("N-098", "N-109"),
)
