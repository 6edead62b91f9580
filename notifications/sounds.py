"""The sounds a pop-up can make (N-032). Each is static/sounds/<key>.wav, made by tools/make_sounds.py.

To add one: a function there, a line here, and run the script.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise


@dataclass(frozen=True)
class Sound:
    """One sound. The key is stored and told, so it stays; the label is for people."""

    key: str
    label: "StrPromise"

    @property
    def path(self) -> str:
        return f"sounds/{self.key}.wav"


def _by_key(sounds: Iterable[Sound]) -> dict[str, Sound]:
    return {sound.key: sound for sound in sounds}


SOUNDS = _by_key(
    [
        Sound("chime", gettext_lazy("Chime")),
        Sound("glass", gettext_lazy("Glass")),
        Sound("knock", gettext_lazy("Knock")),
        Sound("marimba", gettext_lazy("Marimba")),
        Sound("ripple", gettext_lazy("Ripple")),
        Sound("desk_bell", gettext_lazy("Desk bell")),
    ]
)
NONE = "none"  # silence, chosen
BUILT_IN = "chime"  # for whoever never chose
KEYS = [*SOUNDS, NONE]


def known(key: str) -> str:
    """What a stored key means now: a sound that is no more gives way to the built-in one."""
    return key if key in KEYS else BUILT_IN


def label(key: str) -> str:
    return _("None") if key == NONE else str(SOUNDS[known(key)].label)
