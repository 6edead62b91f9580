"""The catalogue: everything a member can be told, one file per topic.

A new type is a few lines in its topic's file. A new topic is a file, listed here.
"""

from __future__ import annotations

from typing import Final

from notifications.types import (
    academy,
    account,
    ads,
    blog,
    calls,
    comments,
    contacts,
    conversations,
    custom_objects,
    dashboards,
    data_quality,
    deals,
    email,
    feedback,
    forms,
    general,
    leads,
    lists,
    login_alert,
    marketplace,
    payments,
    quotes,
    seo,
    system,
    tasks,
    tickets,
    transcription,
    website_visits,
    workflows,
)
from notifications.types.base import FieldProblem, NotificationType, Topic, catalogue
from notifications.types.declaring import CHANNELS

TOPICS: Final[tuple[Topic, ...]] = (
    academy.TOPIC,
    account.TOPIC,
    ads.TOPIC,
    blog.TOPIC,
    calls.TOPIC,
    conversations.TOPIC,
    comments.TOPIC,
    contacts.TOPIC,
    custom_objects.TOPIC,
    dashboards.TOPIC,
    data_quality.TOPIC,
    deals.TOPIC,
    email.TOPIC,
    feedback.TOPIC,
    forms.TOPIC,
    general.TOPIC,
    leads.TOPIC,
    lists.TOPIC,
    login_alert.TOPIC,
    marketplace.TOPIC,
    payments.TOPIC,
    quotes.TOPIC,
    seo.TOPIC,
    system.TOPIC,
    tasks.TOPIC,
    tickets.TOPIC,
    transcription.TOPIC,
    website_visits.TOPIC,
    workflows.TOPIC,
)
"""Every topic, in the order of the settings page."""

TYPES: Final[dict[str, NotificationType]] = catalogue(TOPICS)
"""Every type by its key, in the order of the settings page."""


def get(key: str) -> NotificationType | None:
    """The type with this key, or None: rows may outlive the type they name."""
    return TYPES.get(key)


__all__ = ["CHANNELS", "TOPICS", "TYPES", "FieldProblem", "NotificationType", "Topic", "get"]
