"""`manage.py beat`: what comes round."""

from typing import Any

from celery.apps.beat import Beat
from django.core.management.base import BaseCommand

from config.celery import app


class Command(BaseCommand):
    help = "Wake the tasks that come round. One is enough; two do no harm."

    def handle(self, *_: str, **__: Any) -> None:
        Beat(app=app, loglevel="WARNING", quiet=True, redirect_stdouts=False).run()
