"""What a member hears when a pop-up comes: one default sound, another one or none for single types (N-024, N-025)."""

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import preferences, sounds
from notifications.models import MemberSettings, SoundChoice
from notifications.preferences import UnknownCell
from notifications.types.base import NotificationType


class UnknownSound(DomainError):
    code = "unknown_sound"
    status = 422


@dataclass(frozen=True)
class Hearing:
    """A member's sounds: whether there are any, the default, and what was chosen for single types."""

    plays: bool
    default: str  # a key of sounds, or none
    own: Mapping[str, str]

    def of(self, type_key: str) -> str:
        """The sound of a type's pop-ups, or none."""
        return self.own.get(type_key, self.default) if self.plays else sounds.NONE


def of(member: Membership, settings: MemberSettings | None = None) -> Hearing:
    """What a member hears: one query, and one more where their settings are not given."""
    settings = settings or preferences.settings_of(member)
    chosen = SoundChoice.objects.filter(member=member).values_list("type", "sound")
    return Hearing(
        plays=settings.plays_sound,
        default=sounds.known(settings.sound or sounds.BUILT_IN),
        own={type_key: sounds.known(sound) for type_key, sound in chosen},
    )


def has_sound(kind: NotificationType) -> bool:
    """Whether a type can be heard: only what pops up is."""
    return "popup" in kind.offered


def set_default(member: Membership, sound: str | None) -> None:
    """Choose the sound of all pop-ups that have none of their own (N-033). None: the built-in one again."""
    _check(sound, field="default_sound")
    MemberSettings.objects.update_or_create(member=member, defaults={"sound": sound or ""})


@transaction.atomic
def choose(member: Membership, chosen: Mapping[str, str | None]) -> None:
    """Choose the sound of single types (N-035), all or none; None gives a type back to the default.

    Refuses an `UnknownSound`, and with `UnknownCell` a type that the member does not have or that never pops up.
    """
    may = {kind.key for kind in preferences.kinds_for(member) if has_sound(kind)}
    if unknown := [type_key for type_key in chosen if type_key not in may]:
        raise UnknownCell(
            _("There is no such notification with a pop-up for you."),
            fields={type_key: [_("Unknown notification, or one without a pop-up.")] for type_key in unknown},
        )
    for type_key, sound in chosen.items():
        _check(sound, field=type_key)
    member.sound_choices.filter(type__in=[type_key for type_key, sound in chosen.items() if sound is None]).delete()
    SoundChoice.objects.bulk_create(
        [SoundChoice(member=member, type=type_key, sound=sound) for type_key, sound in chosen.items() if sound],
        update_conflicts=True,
        unique_fields=["member", "type"],
        update_fields=["sound"],
    )


def _check(sound: str | None, *, field: str) -> None:
    if sound is not None and sound not in sounds.KEYS:
        words = _("There is no such sound. There are: %(sounds)s.") % {"sounds": ", ".join(sounds.KEYS)}
        raise UnknownSound(words, fields={field: [words]})
