"""Runs in its own virtual environment: how fast django-notifications-hq tells 1,000 people. Prints JSON.

Usage: measure.py NAME HOST USER RECIPIENTS REPEATS, the address of an empty database and how much to do.
"""

import json
import sys
import time

import django
from django.conf import settings


def main(name: str, host: str, user: str, recipients: int, repeats: int) -> None:
    settings.configure(
        SECRET_KEY="only-for-the-bench",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "notifications"],
        DATABASES={
            "default": {"ENGINE": "django.db.backends.postgresql", "NAME": name, "HOST": host, "USER": user},
        },
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
    )
    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.db import transaction

    from notifications.models import Notification
    from notifications.signals import notify

    call_command("migrate", verbosity=0)
    people = User.objects.bulk_create([User(username=f"m{i}", password="!") for i in range(recipients + 1)])
    actor, told = people[0], people[1:]

    def send() -> None:
        notify.send(actor, recipient=told, verb="moved to Contract sent", description="Nordic Oak 2027")

    def timed(in_one_transaction: bool) -> float:
        start = time.perf_counter()
        if in_one_transaction:
            with transaction.atomic():
                send()
        else:
            send()
        return recipients / (time.perf_counter() - start)

    send()  # warm
    rates = {kind: [timed(kind == "atomic") for _ in range(repeats)] for kind in ("atomic", "autocommit")}
    assert Notification.objects.count() == recipients * (2 * repeats + 1)
    print(json.dumps(rates))


if __name__ == "__main__":
    main(*sys.argv[1:4], *map(int, sys.argv[4:6]))
