"""What the bell in the header shows before the socket is open."""

from typing import Any

from django import template

from accounts.models import Membership
from notifications import live

register = template.Library()


@register.simple_tag
def bell_state(member: Membership) -> dict[str, Any]:
    """A member's unread count and whether their browser tab carries the dot: one query."""
    (state,) = live.state_of([member.pk])
    return state
