"""Texts of activities in templates."""

from django import template
from django.utils.safestring import SafeString, mark_safe

from crm import mentioning

register = template.Library()


@register.filter
def with_mentions(text: str) -> SafeString:
    """Escaped, mentions marked, lines kept."""
    return mark_safe(mentioning.as_html(text).replace("\n", "<br>"))  # noqa: S308 (escaped by as_html)
