"""The devices of a person: registering a token, refreshing it, forgetting it, and what each gets of a parcel.

A device that a program of an account registered hears of that account alone: another account's program must not be
able to have a person's notifications sent to itself. One that the person registered hears of all their accounts.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from queue import SimpleQueue

from django.conf import settings
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import sealing
from accounts.errors import DomainError
from accounts.models import Account, Membership, User
from notifications.channels.base import Parcel
from notifications.models import Device, Platform
from notifications.native import jobs
from notifications.native.jobs import DeviceJob
from notifications.native.sending import push_now, sender
from notifications.push import learning
from notifications.push.deciding import NO_PHONE
from notifications.push.sending import Answer, Verdict

MOST = 20  # devices of one person; the one that was seen longest ago makes room
TOKEN = {  # what a token looks like: one that could lead elsewhere, or is none at all, is refused
    Platform.FCM: re.compile(r"[A-Za-z0-9_:.-]{20,4096}"),
    Platform.APNS: re.compile(r"([0-9a-fA-F]{2}){32,100}"),
}


class BadToken(DomainError):
    code = "bad_token"
    status = 422


class NotDelivered(DomainError):
    """A test did not get through; the words say why."""

    code = "push_not_delivered"


@dataclass(frozen=True)
class Registered:
    device: Device
    is_new: bool


def visible_to(member: Membership, *, program: bool) -> QuerySet[Device]:
    """The member's devices: all of the person's for themselves, for a program those registered through its account."""
    theirs = Device.objects.filter(user_id=member.user_id)
    return theirs.filter(account_id=member.account_id) if program else theirs


def register(
    member: Membership, platform: str, token: str, *, name: str = "", app: str = "", replaces: str = "", program: bool
) -> Registered:
    """Take a device in, or note that we know it already. Refuses what is no token.

    It belongs to whoever registers it last. `replaces` is the token that the same device had before.
    """
    if not TOKEN[Platform(platform)].fullmatch(token):
        raise BadToken(_("This is no token of that platform."), fields={"token": [_("Send it as the phone gave it.")]})
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=member.user_id)  # one change of a person's at a time
        known = Device.objects.filter(platform=platform, token_digest=_digest(platform, token)).first()
        if replaces and replaces != token:
            old = visible_to(member, program=program).filter(
                platform=platform, token_digest=_digest(platform, replaces)
            )
            old.delete()
        facts = {
            "user_id": member.user_id,
            "account": _account_of(known, member, program=program),
            "token": sealing.seal(token),
            "name": name,
            "app": app,
            "seen_at": timezone.now(),
        }
        row, is_new = Device.objects.update_or_create(
            platform=platform, token_digest=_digest(platform, token), defaults=facts
        )
        surplus = Device.objects.filter(user_id=member.user_id).order_by("-seen_at", "-pk")[MOST:]
        Device.objects.filter(pk__in=[each.pk for each in surplus]).delete()
    return Registered(row, is_new)


def _account_of(known: Device | None, member: Membership, *, program: bool) -> Account | None:
    """Whose notifications the device hears. A program takes nothing away from what the person set up themselves."""
    is_own = known is not None and known.user_id == member.user_id and known.account_id is None
    return member.account if program and not is_own else None


def _digest(platform: str, token: str) -> str:
    return sha256((token.lower() if platform == Platform.APNS else token).encode()).hexdigest()


def reached(member: Membership) -> QuerySet[Device]:
    """The devices that hear of what happens to a member."""
    mine = Device.objects.filter(user_id=member.user_id, platform__in=jobs.available())
    return mine.filter(Q(account=None) | Q(account_id=member.account_id))


class Devices:
    """The way of the mobile channel to native applications (see push.carrying)."""

    kind = DeviceJob
    why_none = NO_PHONE

    def jobs(self, parcels: Sequence[Parcel], unread: Mapping[int, int]) -> Mapping[int, Sequence[DeviceJob]]:
        devices = _devices({parcel.member_id for parcel in parcels})
        return {
            parcel.delivery_id: [
                job
                for device in devices[parcel.member_id]
                if (job := job_for(parcel, device, unread=unread.get(parcel.member_id)))
            ]
            for parcel in parcels
        }

    def send(self, jobs: Sequence[DeviceJob], answers: "SimpleQueue[Answer]") -> None:
        sender().send(jobs, answers)

    def learn(self, answers: Iterable[Answer]) -> None:
        learn(answers)


def _devices(member_ids: set[int]) -> defaultdict[int, list[Device]]:
    """The devices of each member that hear of their account."""
    found: defaultdict[int, list[Device]] = defaultdict(list)
    members = Membership.objects.filter(pk__in=member_ids).values_list("pk", "user_id", "account_id")
    people = {user_id for _pk, user_id, _account in members}
    by_person: defaultdict[int, list[Device]] = defaultdict(list)
    for device in Device.objects.filter(user_id__in=people, platform__in=jobs.available()).order_by("pk"):
        by_person[device.user_id].append(device)
    for pk, user_id, account_id in members:
        found[pk] = [device for device in by_person[user_id] if device.account_id in (None, account_id)]
    return found


def job_for(parcel: Parcel, device: Device, *, unread: int | None = None) -> DeviceJob | None:
    """What one device gets of a parcel, or nothing where its token cannot be read any more: that is noted."""
    return _job(
        device,
        ref=parcel.delivery_id,
        event_id=parcel.event_id,
        hub_id=parcel.hub_id,
        words=(parcel.message.title, parcel.message.body),
        url=f"/{parcel.hub_id}/notifications/{parcel.event_id}/open/",
        topic=parcel.message.topic,
        unread=unread,
    )


def _job(
    device: Device,
    *,
    ref: int,
    event_id: int,
    hub_id: int,
    words: tuple[str, str],
    url: str,
    topic: str = "",
    unread: int | None = None,
) -> DeviceJob | None:
    try:
        token = sealing.unseal(device.token)
    except sealing.Unreadable as refusal:
        Device.objects.filter(pk=device.pk).update(last_error=str(refusal), last_error_at=timezone.now())
        return None
    return DeviceJob(
        ref=ref,
        row_id=device.pk,
        platform=device.platform,
        address=device.token_digest,
        token=token,
        event_id=event_id,
        title=words[0],
        body=words[1],
        data={"id": str(event_id), "hub": str(hub_id), "url": settings.BASE_URL + url, "topic": topic},
        unread=unread,
    )


def learn(answers: Iterable[Answer]) -> None:
    """Keep what the services said of devices. Only one that is gone is forgotten."""
    learning.learn(answers, Device, address="token_digest")


def test(member: Membership, device: Device) -> str:
    """Send a test to a device that is known to be the person's. Refuses in words where it failed."""
    if why := jobs.why_not(device.platform):
        raise NotDelivered(_(why))
    job = _job(
        device,
        ref=0,
        event_id=0,
        hub_id=member.account.hub_id,
        words=(_("This is a test"), _("Notifications of Bellhop will look like this.")),
        url=f"/{member.account.hub_id}/settings/notifications/phone/",
    )
    if job is None:
        raise NotDelivered(_("Its token cannot be read any more. Open the application on the phone once."))
    answer = push_now(job)
    learn([answer])
    if answer.verdict is Verdict.GONE:
        raise NotDelivered(_("The application is no longer on that phone, so it was taken off the list."))
    if answer.verdict is not Verdict.TAKEN:
        raise NotDelivered(_("The test did not get through: %(why)s.") % {"why": answer.words})
    return _("Sent. If nothing shows, the phone’s own settings may be holding it back.")
