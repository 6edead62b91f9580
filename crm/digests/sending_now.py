"""A task digest that a member asks for now, besides the scheduled ones."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm.digests import schedules, task_lists
from crm.digests.slots import Slot
from crm.models import DigestKind, DigestOutcome, DigestRun

MOST_A_DAY: Final = 10
APART: Final = timedelta(minutes=1)  # a second press of the button is the same wish


class NotNow(DomainError):
    """The digest cannot be sent now; the sentence says why."""

    code = "digest_not_now"


@transaction.atomic
def send(member: Membership, now: datetime | None = None) -> DigestRun:
    """Have a member's digest of this moment mailed. The next scheduled one comes all the same.

    Refuses (`NotNow`) when e-mail is off for it, nothing is overdue or due today, or one was asked for just now.
    """
    now = now or timezone.now()
    row = schedules.locked(member, DigestKind.TASKS)
    if not schedules.cell_of(member).is_on:
        raise NotNow(_("The task digest is off for you: choose how often it should come first."))
    today = now.astimezone(member.zone).date()
    asked = DigestRun.objects.filter(member=member, kind=DigestKind.TASKS, on=today, turn__gt=0)
    newest = asked.order_by("turn").last()
    turn = newest.turn + 1 if newest else 1
    if newest and now - newest.ran_at < APART:
        raise NotNow(_("A digest was sent just now. Wait a minute before you ask for another one."))
    if turn > MOST_A_DAY:
        raise NotNow(_("You asked for %(most)s digests today; that is all there are.") % {"most": MOST_A_DAY})
    zone = schedules.zone_name(member)
    slot = Slot(
        DigestKind.TASKS, member.account_id, row.frequency, row.hour, zone, zone, today, now, False, [member.pk]
    )
    task_lists.write(member.account, [slot], now, turn=turn)
    run = asked.filter(turn=turn).first()
    if run is None or run.outcome != DigestOutcome.TOLD:
        raise NotNow(_("Nothing is overdue or due today, so there is nothing to send."))
    return run
