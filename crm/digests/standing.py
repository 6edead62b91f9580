"""How a member's task digest stands: when the next one comes, what is in it so far, and what became of the last."""

from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.utils.translation import ngettext

from accounts.models import Membership
from crm.digests import schedules, timing
from crm.models import DigestKind, DigestOutcome, DigestRun, DigestSchedule, Record
from notifications import caps, channels
from notifications.models import Delivery, DeliveryStatus, Notification
from notifications.preferences import CellState
from notifications.resolution import Layer


@dataclass(frozen=True)
class Last:
    """What became of a member's newest digest: a word for programs, and a sentence."""

    run: DigestRun
    state: str  # sent, on_its_way, not_sent, failed, capped, empty, skipped, late
    sentence: str

    @property
    def is_trouble(self) -> bool:
        return self.state in {"failed", "capped", "late", "not_sent"}


@dataclass(frozen=True)
class Standing:
    """All that the card and the API say."""

    row: DigestSchedule
    cell: CellState
    tasks: int  # that would be overdue or due in the next digest, as things stand
    tasks_now: int  # the same in one sent now
    last: Last | None

    @property
    def frequency(self) -> str:
        """What was chosen, whatever the master switch says."""
        return self.row.frequency if self.cell.is_kept_on else schedules.OFF

    @property
    def is_on(self) -> bool:
        """Whether a digest will come at all."""
        return self.cell.is_on

    @property
    def is_switched_off(self) -> bool:
        return self.cell.layer is Layer.SWITCH and self.cell.is_kept_on

    @property
    def is_skipped(self) -> bool:
        return self.row.skip_on == self.row.next_on

    @property
    def is_changeable(self) -> bool:
        """Whether the member may turn it on and off."""
        return self.cell.is_changeable

    @property
    def next_words(self) -> str:
        """ "Monday, 23 November, 08:00", on the member's clocks."""
        return when(self.row.next_at)

    @property
    def following_words(self) -> str:
        """The same of the one after the next."""
        return when(timing.following(self.row.frequency, self.row.hour, self.row.zone, after=self.row.next_on).at)

    @property
    def tasks_words(self) -> str:
        """ "7 tasks so far"."""
        if not self.tasks:
            return _("nothing due so far")
        return ngettext("%(n)s task so far", "%(n)s tasks so far", self.tasks) % {"n": self.tasks}


def of(member: Membership) -> Standing:
    """How it stands now. A fixed number of queries."""
    row = schedules.of(member)
    zone = schedules.zone_name(member)
    now = timezone.now()
    return Standing(
        row=row,
        cell=schedules.cell_of(member),
        tasks=_due_until(member, timing.horizon(zone, row.next_at).today_ends),
        tasks_now=_due_until(member, timing.horizon(zone, now).today_ends),
        last=_last(member),
    )


def when(at: datetime) -> str:
    """A moment with its weekday, in the zone that is set."""
    local = timezone.localtime(at)
    facts = {
        "weekday": date_format(local, "l"),
        "day": date_format(local, "DATE_FORMAT"),
        "time": date_format(local, "TIME_FORMAT"),
    }
    return _("%(weekday)s, %(day)s, %(time)s") % facts


def _due_until(member: Membership, ends: datetime) -> int:
    mine = Record.objects.live().of(member.account, "tasks").filter(people__contains=[member.pk])
    return mine.filter(completed_at=None, due_at__lt=ends).count()


def _last(member: Membership) -> Last | None:
    run = (
        DigestRun.objects.select_related("event").filter(member=member, kind=DigestKind.TASKS).order_by("ran_at").last()
    )
    if run is None:
        return None
    state, sentence = _told(run) if run.outcome == DigestOutcome.TOLD else _untold(run)
    return Last(run, state, sentence)


def _untold(run: DigestRun) -> tuple[str, str]:
    at = {"when": when(run.due_at)}
    words = {
        DigestOutcome.EMPTY: _("%(when)s: nothing was overdue or due, so no mail was sent."),
        DigestOutcome.SKIPPED: _("%(when)s: skipped, as you wished."),
        DigestOutcome.LATE: _(
            "%(when)s: skipped, because Bellhop was not running then and it would have come more than six hours late."
        ),
    }
    return run.outcome, words[DigestOutcome(run.outcome)] % at


def _told(run: DigestRun) -> tuple[str, str]:
    """What the notifications made of it."""
    count = run.overdue + run.today
    tasks = ngettext("%(n)s task", "%(n)s tasks", count) % {"n": count}
    facts = {"when": when(run.due_at), "tasks": tasks}
    sent = Delivery.objects.filter(event=run.event, member=run.member_id, channel="email").first()
    if sent is None:
        if run.event and (run.event.fanned_out_at is None or _waits(run)):
            return "on_its_way", _("%(when)s: %(tasks)s, on its way.") % facts
        return "not_sent", _("%(when)s: not sent, because e-mail was turned off for it.") % facts
    facts |= {"to": sent.sent_to, "why": sent.error}
    if sent.status == DeliveryStatus.CAPPED:
        facts["why"] = caps.reason(sent, channels.CHANNELS["email"])
    if sent.status == DeliveryStatus.DROPPED:
        facts["why"] = _(sent.error)
    state, sentence = OF_STATUS.get(DeliveryStatus(sent.status), ("on_its_way", _("%(when)s: %(tasks)s, on its way.")))
    return state, sentence % facts


OF_STATUS = {
    DeliveryStatus.SENT: ("sent", _lazy("%(when)s: %(tasks)s, sent to %(to)s.")),
    DeliveryStatus.FAILED: ("failed", _lazy("%(when)s: could not be sent (%(why)s).")),
    DeliveryStatus.CAPPED: ("capped", _lazy("%(when)s: held back, %(why)s.")),
    DeliveryStatus.DROPPED: ("not_sent", _lazy("%(when)s: not sent. %(why)s")),
}


def _waits(run: DigestRun) -> bool:
    return Notification.objects.filter(event=run.event, member=run.member_id, waiting__gt=0).exists()
