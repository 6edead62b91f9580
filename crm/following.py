"""Following a record, and knowing when a member last looked at it."""

from datetime import datetime

from django.utils import timezone

from accounts.models import Membership
from crm.models import Follower, Record, RecordView


def follow(record: Record, member: Membership) -> bool:
    """Let a member hear of what happens to a record. Twice is once; returns whether it is new."""
    _row, made = Follower.objects.get_or_create(record=record, member=member)
    return made


def unfollow(record: Record, member: Membership) -> bool:
    """Returns whether the member followed it."""
    gone, _rows = Follower.objects.filter(record=record, member=member).delete()
    return bool(gone)


def mark_opened(record: Record, member: Membership, *, at: datetime | None = None) -> None:
    """Remember that a member opened a record's page: an assignment before that needs no telling any more (D9)."""
    RecordView.objects.bulk_create(
        [RecordView(record=record, member=member, last_opened_at=at or timezone.now())],
        update_conflicts=True,
        update_fields=["last_opened_at"],
        unique_fields=["record", "member"],
    )
