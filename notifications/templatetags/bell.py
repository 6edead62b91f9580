"""What the bell in the header shows before the socket is open."""

from datetime import UTC, datetime
from typing import Any

from django import template

from accounts.models import Membership
from notifications import live, quiet

register = template.Library()


@register.simple_tag
def bell_state(member: Membership) -> dict[str, Any]:
    """A member's unread count and whether their browser tab carries the dot: one query."""
    (state,) = live.state_of([member.pk])
    return state


@register.simple_tag
def silence_words(member: Membership, silence: str) -> dict[str, Any]:
    """What `live.state_of` says of a pause or of quiet hours, in words. No query."""
    until = datetime.fromtimestamp(int(silence[1:]), UTC)
    return {"is_paused": silence.startswith("p"), "until": quiet.until_words(until, member.zone)}
