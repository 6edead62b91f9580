"""Where the sounds are, for the page that plays them."""

import json

from django import template
from django.templatetags.static import static

from notifications.sounds import SOUNDS

register = template.Library()


@register.simple_tag
def sound_files() -> str:
    """The address of each sound by its key, as JSON."""
    return json.dumps({sound.key: static(sound.path) for sound in SOUNDS.values()})
