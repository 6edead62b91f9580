"""Website visits: told by e-mail only (N-153)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic(
    "website_visits",
    _("Website visits"),
    note=_("Website visits are told by e-mail only."),
    only=frozenset({"email"}),
)

CONTACTS = TOPIC.type(
    "contacts",
    label=_("Contacts visit your website"),
    title=_("{contact} visited your website"),
    body=_("Pages seen: {pages}, last {last_page}."),
    example={
        "contact": "Mia Lind",
        "pages": 5,
        "last_page": "fjordline.example/prices",
        "url": "/1001/contacts/311/activities/",
    },
    requirements=("N-150", "N-153"),
)

COMPANIES = TOPIC.type(
    "companies",
    label=_("Companies visit your website"),
    title=_("Someone from {company} visited your website"),
    body=_("Pages seen: {pages}, last {last_page}."),
    example={
        "company": "Marlow & Finch",
        "pages": 3,
        "last_page": "fjordline.example/case-studies",
        "url": "/1001/companies/61/activities/",
    },
    requirements=("N-151", "N-153"),
)

PROSPECTS = TOPIC.type(
    "prospects",
    label=_("Prospects visit your website"),
    title=_("A prospect from {place} visited your website"),
    body=_("Network: {network}. Pages seen: {pages}."),
    example={
        "place": "Rotterdam",
        "network": "Maas Harbour Services",
        "pages": 8,
        "url": "/1001/prospects/?place=Rotterdam",
    },
    requirements=("N-152", "N-153"),
)
