"""Texts of activities, and the links to what works across all kinds, in templates."""

from collections.abc import Mapping, Sequence
from typing import Any

from django import template
from django.urls import reverse
from django.utils.safestring import SafeString, mark_safe

from crm import mentioning
from crm.tools import TOOLS

register = template.Library()


@register.filter
def with_mentions(text: str) -> SafeString:
    """Escaped, mentions marked, lines kept."""
    return mark_safe(mentioning.as_html(text).replace("\n", "<br>"))  # noqa: S308 (escaped by as_html)


@register.filter
def beside(problems: Mapping[str, Sequence[str]] | None, index: int) -> list[str]:
    """What a refusal says of the condition with this number: its `fields` name it `where[2]`, or anything else[2]."""
    return [line for name, lines in (problems or {}).items() if name.endswith(f"[{index}]") for line in lines]


@register.inclusion_tag("crm/_tools.html", takes_context=True)
def record_tools(context: Mapping[str, Any]) -> dict[str, Any]:
    """Links to the tools; the one whose pages one is on is marked."""
    request = context["request"]
    links = [
        (reverse(name, args=[request.account.hub_id]), label)
        for name, label, *needs in TOOLS
        if all(request.member.has(permission) for permission in needs)
    ]
    return {
        "tools": [{"url": url, "label": label, "is_current": request.path.startswith(url)} for url, label in links],
    }
