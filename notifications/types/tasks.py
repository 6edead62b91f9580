"""Tasks: assignments, due times, mentions, and the summary by e-mail.

Tasks created through the API tell nobody unless the caller asks for it (N-142).
"""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import ASSIGNMENT_WINDOW, Topic

TOPIC = Topic("tasks", _("Tasks"))

ASSIGNED = TOPIC.type(
    "assigned",
    label=_("A task is assigned to you"),
    title=_("{actor} assigned you the task “{task}”"),
    body=_("Due {due}."),
    example={
        "actor": "Alice Moreau",
        "task": "Send the revised offer",
        "due": "on Tuesday, 15:00",
        "url": "/1001/tasks/205/",
    },
    defaults={"bell", "popup", "email"},
    window=ASSIGNMENT_WINDOW,
    requirements=("N-138",),
)

DUE = TOPIC.type(
    "due",
    label=_("A task assigned to you is due"),
    title=_("“{task}” is due {due}"),
    example={"task": "Call Mia Lind back", "due": "today, 14:30", "url": "/1001/tasks/198/"},
    defaults={"bell", "popup"},
    requirements=("N-139",),
)

MENTIONED = TOPIC.type(
    "mentioned",
    label=_("You are @mentioned in a note on a task"),
    title=_("{actor} mentioned you on the task “{task}”"),
    body=_("“{excerpt}”"),
    example={
        "actor": "Chiara Ricci",
        "task": "Prepare the workshop",
        "excerpt": "@Bob, you have the room plan, don't you?",
        "url": "/1001/tasks/211/#note-2",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-140",),
)

DIGEST = TOPIC.type(
    "digest",
    label=_("A summary of your tasks, on weekdays or weekly"),
    title=_("Your tasks: {due} due, {overdue} overdue"),
    body="{tasks}",
    example={
        "due": 3,
        "overdue": 1,
        "tasks": "Call Mia Lind back (overdue), Send the revised offer, Book the room, Check invoice 2291",
        "url": "/1001/tasks/",
    },
    only={"email"},
    each="crm.digests.words.for_each",
    requirements=("N-141",),
)
