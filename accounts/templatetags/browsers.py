"""Browsers in templates: `{{ user_agent|browser }}` in words, `{{ user_agent|device }}` as the name of an icon."""

from django import template

from accounts import browsers

register = template.Library()


@register.filter
def browser(user_agent: str) -> str:
    return browsers.name_of(user_agent)


@register.filter
def device(user_agent: str) -> str:
    return "phone" if browsers.is_phone(user_agent) else "desktop"
