"""A member's connections to other apps (N-039): made, tested, broken, mended and removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from queue import SimpleQueue

import orjson
from django.conf import settings
from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import sealing
from accounts.errors import DomainError
from accounts.models import Membership
from accounts.sealing import Unreadable
from notifications import channels
from notifications.channels.base import Parcel
from notifications.channels.connected import Connected
from notifications.models import Connection
from notifications.other_apps.speaking import Answer, Job, Offer, Secret
from notifications.posting import Verdict
from notifications.recording import storable
from notifications.rendering import Message

ERROR_KEPT = 300  # characters
TEST_EVERY = timedelta(seconds=10)
SEEN_EVERY = timedelta(minutes=1)  # how exactly we know the last success
TEST_TYPE = "bellhop.test"


class UnknownApp(DomainError):
    code = "unknown_app"
    status = 404


class NotConnected(DomainError):
    """There is no such connection."""

    code = "not_connected"
    status = 404


class NotAvailable(DomainError):
    """This installation is not set up for that app."""

    code = "app_not_available"


class TriedJustNow(DomainError):
    code = "tried_just_now"
    status = 429


class NotDelivered(DomainError):
    """A test did not get through; the words say why."""

    code = "test_not_delivered"


@dataclass(frozen=True)
class Standing:
    """One app as a member sees it: connected or not, working or broken."""

    channel: Connected
    connection: Connection | None

    @property
    def missing(self) -> str:
        """Why nobody can connect it here, or nothing."""
        return self.channel.app.missing()

    @property
    def is_broken(self) -> bool:
        return self.connection is not None and self.connection.broken_at is not None


@dataclass(frozen=True)
class Kept:
    """What sending needs of a connection."""

    pk: int
    label: str
    secret: str  # sealed
    broken_at: datetime | None = None


@dataclass(frozen=True)
class Made:
    """A connection that was just made, and the secret that its member must copy now, if there is one."""

    connection: Connection
    shown_once: str = ""


def app(key: str) -> Connected:
    """The app with that key. Refuses others as unknown."""
    if key not in channels.APP:
        raise UnknownApp(_("There is no such app."))
    return channels.APP[key]


def standings(member: Membership) -> list[Standing]:
    """Every app, in the order of the list. One query."""
    mine = {row.channel: row for row in member.connections.all()}
    return [Standing(channel, mine.get(channel.key)) for channel in channels.APPS]


def connection_of(member: Membership, channel: Connected) -> Connection:
    """The member's connection to an app. Refuses as NotConnected."""
    row = member.connections.filter(channel=channel.key).first()
    if row is None:
        raise NotConnected(_("%(app)s is not connected.") % {"app": channel.label})
    return row


def connect(member: Membership, channel: Connected, given: Mapping[str, str]) -> Made:
    """Connect an app by what the member filled in. Looks addresses up, and refuses those it would not go to.

    A second time it takes the place of what was connected before.
    """
    if missing := channel.app.missing():
        raise NotAvailable(missing)
    if not channel.app.blanks:
        raise NotAvailable(_("%(app)s is connected from its card on the settings page.") % {"app": channel.label})
    before = member.connections.filter(channel=channel.key).first()
    return keep(member, channel, channel.app.understand(given, _known(before)))


@transaction.atomic
def keep(member: Membership, channel: Connected, offer: Offer) -> Made:
    """Write a connection down, in the place of an earlier one."""
    Membership.objects.select_for_update(no_key=True).get(pk=member.pk)  # one change of a member's at a time
    facts = {
        "account_id": member.account_id,
        "label": offer.label[:200],
        "secret": sealed(offer.secret),
        "created_at": timezone.now(),
        "broken_at": None,
        "last_success_at": None,
        "last_error": "",
        "last_error_at": None,
    }
    row, _made = Connection.objects.update_or_create(member=member, channel=channel.key, defaults=facts)
    return Made(row, offer.shown_once)


def disconnect(member: Membership, channel: Connected) -> None:
    """Forget a connection and all that it was entrusted with. Refuses as NotConnected."""
    connection_of(member, channel).delete()


def send_test(member: Membership, channel: Connected) -> str:
    """Send a test and wait for the answer: says where it went, or refuses in words.

    One in ten seconds; also through a broken connection, which works again when the test gets through.
    """
    connection = connection_of(member, channel)
    now = timezone.now()
    is_first = Q(tested_at=None) | Q(tested_at__lte=now - TEST_EVERY)
    if not Connection.objects.filter(is_first, pk=connection.pk).update(tested_at=now):
        raise TriedJustNow(_("A test was sent just now. Wait ten seconds."))
    answers: SimpleQueue[Answer] = SimpleQueue()
    try:
        job = job_for(_test(member), connection)
    except Unreadable as problem:
        break_off(connection, str(problem))
        raise
    channel.app.begin([job], answers)
    answer = answers.get()
    learn(channel, [answer])
    if answer.verdict is not Verdict.TAKEN:
        raise NotDelivered(_("The test did not get through: %(why)s.") % {"why": answer.words.rstrip(".")})
    return _("Sent to %(where)s.") % {"where": connection.label}


def job_for(parcel: Parcel, connection: Connection | Kept) -> Job:
    """A parcel on its way through a connection. Raises Unreadable where its secret cannot be opened any more."""
    return Job(
        ref=parcel.delivery_id,
        connection_id=connection.pk,
        sealed=connection.secret,
        secret={"where": connection.label, **opened(connection)},
        parcel=parcel,
        is_test=not parcel.delivery_id,
    )


def sealed(secret: Secret) -> str:
    return sealing.seal(orjson.dumps(dict(secret)).decode())


def opened(connection: Connection | Kept) -> dict[str, str]:
    """What a connection was entrusted with. Raises Unreadable."""
    found: dict[str, str] = orjson.loads(sealing.unseal(connection.secret))
    return found


def break_off(connection: Connection | Kept, why: str) -> None:
    """From now on it carries nothing, until the member connects it again. One that was changed meanwhile stays."""
    now = timezone.now()
    Connection.objects.filter(pk=connection.pk, secret=connection.secret, broken_at=None).update(
        broken_at=now, last_error=storable(why)[:ERROR_KEPT], last_error_at=now
    )


def learn(channel: Connected, answers: Sequence[Answer]) -> None:
    """Keep what an app said of its connections: the last success, the last trouble, or that it is over."""
    now = timezone.now()
    taken = [answer.job for answer in answers if answer.verdict is Verdict.TAKEN]
    if taken:
        _note_success([job.connection_id for job in taken], now)
        mended = [job.connection_id for job in taken if job.is_test]
        if mended:
            Connection.objects.filter(pk__in=mended).update(
                last_success_at=now, last_error="", last_error_at=None, broken_at=None
            )
    for answer in answers:
        if answer.verdict is Verdict.TAKEN:
            continue
        facts = {"last_error": storable(answer.words)[:ERROR_KEPT], "last_error_at": now}
        if answer.verdict is Verdict.GONE:
            facts["broken_at"] = now
        mine = Connection.objects.filter(pk=answer.job.connection_id, secret=answer.job.sealed)
        mine.filter(broken_at=None).update(**facts)
    channel.app.learn(answers)


def _note_success(ids: Sequence[int], now: datetime) -> None:
    with database.cursor() as cursor:
        cursor.execute(
            """
            UPDATE notifications_connection SET last_success_at = %(now)s, last_error = '', last_error_at = NULL
            WHERE id = ANY(%(ids)s) AND broken_at IS NULL
              AND (last_success_at IS NULL OR last_success_at < %(before)s OR last_error <> '')
            """,
            {"ids": list(ids), "now": now, "before": now - SEEN_EVERY},
        )


def _known(before: Connection | None) -> Secret | None:
    try:
        return opened(before) if before else None
    except Unreadable:
        return None


def _test(member: Membership) -> Parcel:
    url = f"{settings.BASE_URL}/{member.account.hub_id}/settings/notifications/other-apps/"
    words = _("Notifications of Bellhop will look like this.")
    return Parcel(
        delivery_id=0,
        event_id=0,
        member_id=member.pk,
        type_key=TEST_TYPE,
        name=member.name,
        email=member.email,
        hub_id=member.account.hub_id,
        account_name=member.account.name,
        language=member.spoken_language,
        message=Message(title=_("This is a test"), body=words, url=url, topic="", label=_("Test")),
    )
