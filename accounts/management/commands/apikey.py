"""Make a key for a program."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts import api_keys
from accounts.errors import DomainError
from accounts.models import Account


class Command(BaseCommand):
    help = "Make an API key and print it, once: manage.py apikey --hub 1001 --name demo --scopes events.write"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--hub", type=int, required=True, help="the account's Hub ID")
        parser.add_argument("--name", required=True, help="what the key is for")
        parser.add_argument(
            "--scopes", default=",".join(api_keys.SCOPES), help="with commas; all of them unless given: %(default)s"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        account = Account.objects.filter(hub_id=options["hub"]).first()
        if account is None:
            raise CommandError(f"There is no account with the Hub ID {options['hub']}.")
        scopes = [scope.strip() for scope in options["scopes"].split(",") if scope.strip()]
        if not scopes:
            raise CommandError(f"Name at least one scope: {', '.join(api_keys.SCOPES)}.")
        try:
            _row, key = api_keys.make(account, name=options["name"][:120], scopes=scopes, by=None)
        except DomainError as error:
            raise CommandError(f"{error} There are: {', '.join(api_keys.SCOPES)}.") from None
        self.stdout.write(key)
