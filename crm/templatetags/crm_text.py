"""Texts of activities, and the links to what works across all kinds, in templates."""

from collections.abc import Mapping
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


@register.inclusion_tag("crm/_tools.html", takes_context=True)
def record_tools(context: Mapping[str, Any]) -> dict[str, Any]:
    """Links to the tools; the one whose pages one is on is marked."""
    request = context["request"]
    links = [(reverse(name, args=[request.account.hub_id]), label) for name, label in TOOLS]
    return {
        "tools": [{"url": url, "label": label, "is_current": request.path.startswith(url)} for url, label in links],
    }
