"""When a member is left alone: their quiet hours on each weekday, and “pause everything until …”.

What they set is kept as local times; what holds now is kept as moments (`Silence`), computed again whenever the hours
or the zone change and when a window ends. Every change is looked at once more in the background (see catching_up):
what is no longer held leaves at once.
"""

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction
from django.utils import formats, timezone
from django.utils.dates import WEEKDAYS
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Account, Membership
from notifications import live, moments
from notifications.models import QuietHours, Silence
from notifications.moments import Hours, Window

log = logging.getLogger(__name__)


class InvalidHours(DomainError):
    """Quiet hours that were not taken. `fields` names the weekdays by their numbers."""

    code = "invalid_quiet_hours"
    status = 422


class InvalidMoment(DomainError):
    """A moment that is over, too far away, or cannot be read."""

    code = "invalid_moment"
    status = 422


@dataclass(frozen=True)
class State:
    """How a member is left alone now: until when they paused everything, and the quiet window that lasts or comes."""

    paused_until: datetime | None = None
    window: Window | None = None
    is_quiet: bool = False

    @property
    def quiet_until(self) -> datetime | None:
        return self.window.ends_at if self.window and self.is_quiet else None

    @property
    def until(self) -> datetime | None:
        """The end of whatever holds something back now."""
        return self.paused_until or self.quiet_until


def state_of(member: Membership, now: datetime | None = None) -> State:
    """How a member is left alone. One query."""
    now = now or timezone.now()
    row = Silence.objects.filter(member=member).first()
    if row is None:
        return State()
    window = Window(row.starts_at, row.ends_at) if row.starts_at and row.ends_at and row.ends_at > now else None
    paused = row.paused_until if row.paused_until and row.paused_until > now else None
    return State(paused, window, window is not None and window.holds(now))


def hours_of(member: Membership) -> list[Hours]:
    """A member's quiet hours, by weekday."""
    rows = member.quiet_hours.order_by("weekday")
    return [Hours(row.weekday, row.starts, row.ends) for row in rows]


@transaction.atomic
def set_hours(member: Membership, hours: Sequence[Hours]) -> None:
    """Replace a member's quiet hours. Refuses (`InvalidHours`) an end that is the start (but 00:00 to 00:00 is the
    whole day), a weekday twice, and a week without a minute left."""
    _check(hours)
    now = timezone.now()
    row = _lock(member)
    member.quiet_hours.exclude(weekday__in=[one.weekday for one in hours]).delete()
    QuietHours.objects.bulk_create(
        [QuietHours(member=member, weekday=one.weekday, starts=one.starts, ends=one.ends) for one in hours],
        update_conflicts=True,
        unique_fields=["member", "weekday"],
        update_fields=["starts", "ends"],
    )
    compute(row, hours, zone_of(member), now)
    _look_again(row, now)


def _check(hours: Iterable[Hours]) -> None:
    problems: dict[str, list[str]] = {}
    seen: set[int] = set()
    for one in hours:
        if one.weekday not in range(7):
            problems[str(one.weekday)] = [_("A weekday is a number from 0 (Monday) to 6 (Sunday).")]
        elif one.weekday in seen:
            problems[str(one.weekday)] = [_("This day stands here more than once.")]
        elif one.starts == one.ends and one.starts != time(0):
            problems[str(one.weekday)] = [
                _("The end must differ from the beginning. For the whole day write 00:00 to 00:00.")
            ]
        seen.add(one.weekday)
    if problems:
        raise InvalidHours(_("The quiet hours were not saved."), fields=problems)
    if moments.covers_the_week(hours):
        raise InvalidHours(
            _("These hours leave no minute of the week. To silence a channel for good, switch it off on its tab.")
        )


@transaction.atomic
def pause(member: Membership, *, until: datetime) -> None:
    """Hold everything but the bell, and what is required, until a moment. A new pause takes the place of the old one.

    Refuses (`InvalidMoment`) what is not to come, or more than a year away.
    """
    now = timezone.now()
    check_moment(until, now)
    row = _lock(member)
    row.paused_until = until
    _look_again(row, now)


@transaction.atomic
def resume(member: Membership) -> bool:
    """End a pause now: what it held is told. Returns whether there was one."""
    now = timezone.now()
    row = _lock(member)
    if row.paused_until is None or row.paused_until <= now:
        return False
    row.paused_until = now
    _look_again(row, now)
    return True


def check_moment(moment: datetime | None, now: datetime) -> datetime:
    """Refuse a moment until which nothing can be put off."""
    if moment is None:
        raise InvalidMoment(_("Choose a date and a time."), fields={"until": [_("Choose a date and a time.")]})
    if moment <= now:
        raise InvalidMoment(
            _("This moment is over already."), fields={"until": [_("Choose a moment that is still to come.")]}
        )
    if moment > now + moments.LONGEST:
        raise InvalidMoment(_("This is too far away."), fields={"until": [_("Choose a moment within a year.")]})
    return moment


def compute(row: Silence, hours: Iterable[Hours], zone: ZoneInfo, now: datetime) -> None:
    """Write the window that lasts now or comes next into a row that is not saved yet."""
    window = moments.current_or_next(hours, zone, now)
    row.starts_at, row.ends_at = (window.starts_at, window.ends_at) if window else (None, None)


def zone_of(member: Membership) -> ZoneInfo:
    """A member's clocks; UTC where this machine no longer knows their zone, so that nobody else waits for that."""
    try:
        return member.zone
    except (ZoneInfoNotFoundError, ValueError, OSError):
        log.warning("the time zone of member %s is unknown here: their quiet hours are in UTC", member.pk)
        return ZoneInfo("UTC")


def zone_changed(*, member: Membership | None = None, account: Account | None = None) -> None:
    """The clocks of a member, or of all members of an account without their own, are others now: look again."""
    rows = Silence.objects.filter(member=member) if member else Silence.objects.filter(member__account=account)
    if account:
        rows = rows.filter(member__time_zone="")
    if rows.update(due_at=timezone.now()):
        wake()


def _lock(member: Membership) -> Silence:
    row, _made = Silence.objects.select_for_update().get_or_create(member=member)
    return row


def _look_again(row: Silence, now: datetime) -> None:
    row.due_at = now
    row.save()
    transaction.on_commit(lambda: live.tell_state([row.pk]), robust=True)
    wake()


def wake() -> None:
    """Look at what is due after commit."""
    from notifications import tasks  # the task module knows everything; nothing below it may

    transaction.on_commit(lambda: tasks.wake(tasks.catch_up), robust=True)


# --- Words


def until_words(moment: datetime, zone: ZoneInfo, now: datetime | None = None) -> str:
    """A moment in a few words: 17:00 today, or the day with it."""
    local, today = moment.astimezone(zone), (now or timezone.now()).astimezone(zone).date()
    # Translators: format of a time of day, see Django's date format characters.
    at = formats.date_format(local, _("H:i"))
    if local.date() == today:
        return at
    if 0 < (local.date() - today).days < 7:
        return _("%(day)s %(time)s") % {"day": str(WEEKDAYS[local.weekday()]), "time": at}
    return _("%(day)s %(time)s") % {"day": formats.date_format(local, "DATE_FORMAT"), "time": at}


def by_weekday(hours: Iterable[Hours]) -> Mapping[int, Hours]:
    return {one.weekday: one for one in hours}
