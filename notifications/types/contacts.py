"""Contacts and companies: assignments, mentions, duplicates.

Assignments go to whoever stands in the owner property or in any custom user property (N-070).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("contacts", _("Contacts and companies"))

COMPANY_ASSIGNED = TOPIC.type(
    "company_assigned",
    label=_("A company is assigned to you"),
    title=_("{actor} assigned you the company “{company}”"),
    example={"actor": "Ann", "company": "Fjordline Logistics", "url": "/1001/companies/58/"},
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-065",),
)

CONTACT_ASSIGNED = TOPIC.type(
    "contact_assigned",
    label=_("A contact is assigned to you"),
    title=_("{actor} assigned you the contact “{contact}”"),
    example={"actor": "Ann", "contact": "Mia Lind", "url": "/1001/contacts/311/"},
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-066",),
)

DUPLICATE_FOUND = TOPIC.type(
    "duplicate_found",
    label=_("There is a duplicate of a contact or company"),
    title=_("“{record}” seems to be there twice"),
    body=_("It looks like “{other}”. You can merge the two."),
    example={
        "record": "Tomas Ferreira",
        "other": "Tomás Ferreira",
        "url": "/1001/contacts/320/duplicates/",
    },
    defaults={"bell"},
    requirements=("N-067",),
)

MENTIONED_ON_COMPANY = TOPIC.type(
    "mentioned_on_company",
    label=_("You are @mentioned on a company record"),
    title=_("{actor} mentioned you on the company “{company}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Bilal Haddad",
        "company": "Marlow & Finch",
        "excerpt": "@Ann, they moved to the new building, please check the address.",
        "url": "/1001/companies/61/activities/930/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-068",),
)

MENTIONED_ON_CONTACT = TOPIC.type(
    "mentioned_on_contact",
    label=_("You are @mentioned on a contact record"),
    title=_("{actor} mentioned you on the contact “{contact}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Dewi Pratama",
        "contact": "Grace Okafor",
        "excerpt": "@Bob, she prefers a call after four.",
        "url": "/1001/contacts/340/activities/941/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-069",),
)
