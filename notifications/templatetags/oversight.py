"""Words for numbers on the pages of oversight, and what the first page of the admin has to point out."""

from datetime import datetime
from typing import Any

from django import template
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.admin_site import accounts_of
from notifications import channels, types, unreached
from notifications.durations import words_of

register = template.Library()


@register.filter
def took(seconds: float | None) -> str:
    """How long something took: 0.4 s, 12 s, 3 min, 2 h."""
    return "–" if seconds is None else words_of(seconds)


@register.filter
def age(moment: datetime | None) -> str:
    """How long ago a moment was."""
    return "–" if moment is None else words_of(max(0.0, (timezone.now() - moment).total_seconds()))


@register.filter
def type_words(key: str) -> str:
    """A type as people know it; one that is gone by its key."""
    kind = types.get(key)
    return f"{kind.topic.label}: {kind.label}" if kind else key or _("All kinds")


@register.filter
def channel_words(key: str) -> Any:
    """A channel as people know it."""
    channel = channels.CHANNELS.get(key)
    return channel.label if channel else key


@register.inclusion_tag("admin/notifications/_at_a_glance.html", takes_context=True)
def at_a_glance(context: template.Context) -> dict[str, Any]:
    """What needs looking at. It is counted for whoever has one account; an operator of many chooses one first."""
    few = list(accounts_of(context["request"])[:2])
    return {"findings": unreached.find(few[0]) if len(few) == 1 else None}
