from typing import Any

from django.core.management.base import BaseCommand

from config.local import new_vapid_key


class Command(BaseCommand):
    help = "Make a private key for web push, for VAPID_PRIVATE_KEY. Another key means that every browser asks anew."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(new_vapid_key())
