"""Whom records name, worked out anew where a property that names members was archived or brought back.

`Record.people` says whose own a record is; it follows from the properties. The property's row carries how far this has
come, so that a worker that dies leaves nothing undone.
"""

from django.db import transaction

from crm import assigning, schema
from crm.models import CustomProperty, Record

IN_A_BATCH = 200
WAITING = CustomProperty.objects.filter(settled_to__isnull=False)


def step() -> bool:
    """Work out the next records of one property. Nobody is told, and no version grows. False: nothing is left."""
    with transaction.atomic():
        row = WAITING.select_for_update(of=("self",), skip_locked=True).select_related("account").first()
        if row is None:
            return False
        kind = schema.kind_of(row.account, row.kind)
        named = Record.objects.of(row.account, row.kind).filter(pk__gt=row.settled_to, values__has_key=row.key)
        ids = list(named.order_by("pk").values_list("pk", flat=True)[:IN_A_BATCH])
        for record in Record.objects.select_for_update(of=("self",)).filter(pk__in=ids).order_by("pk"):
            people = sorted(set(assigning.named(record, kind).values()))
            if people != record.people:
                Record.objects.filter(pk=record.pk).update(people=people)
        row.settled_to = ids[-1] if len(ids) == IN_A_BATCH else None
        row.save(update_fields=["settled_to"])
    return True


def has_work() -> bool:
    return WAITING.exists()
