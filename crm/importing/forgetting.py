"""Old imports are erased with their files and rows: after so long nothing of them can be rolled back."""

from django.utils import timezone

from crm.models import ImportJob, ImportPiece, ImportRow
from crm.records import KEPT_IN_BIN

AT_ONCE = 5_000


def forget_some() -> bool:
    """Erase some of what is older than what the bin keeps. False: there is no more."""
    limit = timezone.now() - KEPT_IN_BIN
    old = ImportJob.objects.exclude(pk__in=ImportJob.objects.under_way()).filter(created_at__lt=limit)
    rows = ImportRow.objects.filter(job__in=old).values("pk")[:AT_ONCE]
    if ImportRow.objects.filter(pk__in=rows).delete()[0]:
        return True
    pieces = ImportPiece.objects.filter(job__in=old).values("pk")[:AT_ONCE]
    ImportPiece.objects.filter(pk__in=pieces).delete()
    old.delete()
    return False
