"""Dashboards: reports sent, mentions in notes, permissions granted."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("dashboards", _("Dashboards"))

REPORT_SENT = TOPIC.type(
    "report_sent",
    label=_("A dashboard report is sent to you by e-mail"),
    title=_("Dashboard report: {dashboard}"),
    body=_("For {period}, sent by {actor}."),
    example={
        "actor": "Alice Moreau",
        "dashboard": "Sales, weekly",
        "period": "16–22 November",
        "url": "/1001/dashboards/5/",
    },
    defaults={"email"},
    requirements=("N-073",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned in a note on a dashboard"),
    title=_("{actor} mentioned you on the dashboard “{dashboard}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Bilal Haddad",
        "dashboard": "Support load",
        "excerpt": "@Ann, why did Tuesday double?",
        "url": "/1001/dashboards/8/#note-3",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-074",),
)

VIEW_GRANTED = TOPIC.type(
    "view_granted",
    label=_("You are given permission to view a dashboard"),
    title=_("{actor} lets you view the dashboard “{dashboard}”"),
    example={"actor": "Chiara Ricci", "dashboard": "Pipeline 2027", "url": "/1001/dashboards/11/"},
    defaults={"bell"},
    requirements=("N-075",),
)

EDIT_GRANTED = TOPIC.type(
    "edit_granted",
    label=_("You are given permission to edit a dashboard"),
    title=_("{actor} lets you edit the dashboard “{dashboard}”"),
    example={"actor": "Dewi Pratama", "dashboard": "Campaign costs", "url": "/1001/dashboards/14/"},
    defaults={"bell"},
    requirements=("N-076",),
)
