"""What a member does with the notifications under their bell. Each act tells their other tabs and devices."""

from collections.abc import Sequence

from django.db import models, transaction
from django.utils import timezone

from accounts.models import Membership
from notifications import live
from notifications.live import Marks
from notifications.models import BELL, Notification, Snooze


def of(member: Membership) -> models.QuerySet[Notification]:
    """A member's bell, newest first: what preferences let through, archived or not."""
    return (
        Notification.objects.filter(member=member)
        .annotate(in_bell=models.F("channels").bitand(BELL))
        .filter(in_bell=BELL)
        .order_by("-event_id")
    )


@transaction.atomic
def mark_read(member: Membership, event_ids: Sequence[int]) -> int:
    """Mark notifications read. Returns how many were unread before."""
    count = of(member).filter(event_id__in=event_ids, read_at=None).update(read_at=timezone.now())
    _tell(member, Marks(read=event_ids))
    return count


@transaction.atomic
def mark_unread(member: Membership, event_ids: Sequence[int]) -> int:
    """Mark notifications unread again."""
    count = of(member).filter(event_id__in=event_ids).exclude(read_at=None).update(read_at=None)
    _tell(member, Marks(unread=event_ids))
    return count


@transaction.atomic
def mark_all_read(member: Membership, *, up_to: int) -> int:
    """Mark everything read up to the newest event the member saw. What came later, or comes late, stays unread."""
    unread = of(member).filter(event_id__lte=up_to, read_at=None, archived_at=None)
    count = unread.update(read_at=timezone.now())
    _tell(member, Marks(read_up_to=up_to))
    return count


@transaction.atomic
def archive(member: Membership, event_ids: Sequence[int]) -> int:
    """Put notifications away. They stay findable, and count as read."""
    now = timezone.now()
    rows = of(member).filter(event_id__in=event_ids, archived_at=None)
    count = rows.update(archived_at=now, read_at=models.functions.Coalesce("read_at", now))
    _tell(member, Marks(read=event_ids, archived=event_ids))
    return count


@transaction.atomic
def unarchive(member: Membership, event_ids: Sequence[int]) -> int:
    """Take notifications back out of the archive. One that was snoozed is back with it."""
    Snooze.objects.filter(member=member, event_id__in=event_ids, woken_at=None).delete()
    count = of(member).filter(event_id__in=event_ids).exclude(archived_at=None).update(archived_at=None)
    _tell(member, Marks(unarchived=event_ids))
    return count


def _tell(member: Membership, marks: Marks) -> None:
    transaction.on_commit(lambda: live.tell_state([member.pk], marks=marks), robust=True)
