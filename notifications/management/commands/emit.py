"""Emit one event from the command line."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.errors import DomainError
from accounts.models import Membership
from notifications import events, types
from notifications.events import Audience


class Command(BaseCommand):
    help = 'Emit one event: manage.py emit deals.stage_changed --to bob@example.com --data \'{"stage": "Won"}\''

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("type", help="the notification type, for example deals.stage_changed")
        parser.add_argument("--to", required=True, action="append", help="a member's e-mail address; may be repeated")
        parser.add_argument("--by", help="the e-mail address of the member who did it")
        parser.add_argument("--hub", type=int, help="the Hub ID, where a person is in several accounts")
        parser.add_argument("--data", default="{}", help="JSON; what it leaves out comes from the type's example")
        parser.add_argument("--key", help="an idempotency key: the same key tells nobody twice")

    def handle(self, *args: Any, **options: Any) -> None:
        people = [self._member(email, options["hub"]) for email in options["to"]]
        by = self._member(options["by"], options["hub"]) if options["by"] else None
        kind = types.TYPES.get(options["type"])
        if kind is None:
            raise CommandError(f"There is no notification type “{options['type']}”; see /developers/types/.")
        try:
            given = json.loads(options["data"])
        except json.JSONDecodeError as error:
            raise CommandError(f"--data is not JSON: {error}") from None
        if not isinstance(given, dict):
            raise CommandError('--data must be a JSON object, such as {"stage": "Won"}.')
        try:
            event = events.emit(
                kind,
                audience=Audience(members=tuple(person.pk for person in people)),
                account=people[0].account,
                by=by,
                data={**kind.example, **given},
                key=options["key"],
            )
        except DomainError as error:
            lines = [f"  {name}: {' '.join(said)}" for name, said in error.fields.items()]
            raise CommandError("\n".join([str(error), *lines])) from None
        self.stdout.write(f"Event {event.pk} is on its way to {', '.join(options['to'])}.")

    def _member(self, email: str, hub_id: int | None) -> Membership:
        found = Membership.objects.active().filter(user__email=email.lower()).select_related("account", "user")
        if hub_id is not None:
            found = found.filter(account__hub_id=hub_id)
        member = found.order_by("id").first()
        if member is None:
            raise CommandError(f"There is no active member with the address {email}.")
        return member
