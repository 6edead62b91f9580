"""Why a member got a notification, or did not: the recorded decision of each channel, put into words.

Nothing is guessed afterwards. The event keeps what the layers said when it was told; the recipient's row keeps
what the member had chosen; resolving both again gives the decision that was made then.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import caps, channels, holding, resolution
from notifications.channels.base import Channel
from notifications.models import Delivery, DeliveryStatus, Event, Held, Hushed, Lock, Notification, Profile, Snooze
from notifications.resolution import Choice, Layer, Layers

DID_NOT = (
    DeliveryStatus.CAPPED,
    DeliveryStatus.DROPPED,
    DeliveryStatus.FAILED,
    DeliveryStatus.HELD,
    DeliveryStatus.SUMMED,
)


@dataclass(frozen=True)
class Verdict:
    """What was decided for one channel, by whom, and what became of it."""

    channel: Channel
    is_on: bool
    layer: Layer | None  # None: held back before any layer was asked
    sentence: str
    delivery: Delivery | None = None
    profile_name: str = ""
    lock: Lock | None = None  # the lock that stands today, for its reason
    is_left: bool = False  # a channel that leaves the building, and nothing waits for it any more
    hushed: Hushed = Hushed.NOT  # what holds, or held, a pop-up: it has no delivery that could say so
    mail: Delivery | None = None  # the delivery of another event, whose mail told this one too
    together: tuple[Event, ...] = ()  # the other events that are told in the same mail

    @property
    def is_unreached(self) -> bool:
        """The channel was on, and there was nowhere to send it: a member who had allowed it in no browser."""
        return self.is_on and self.delivery is None and self.is_left

    @property
    def is_told(self) -> bool:
        """Whether it came, or is on its way, over this channel."""
        if not self.is_on or self.is_unreached or self.hushed != Hushed.NOT:
            return False
        return self.delivery is None or (self.mail or self.delivery).status not in DID_NOT

    @property
    def is_held(self) -> bool:
        """Whether it waits until the member is back."""
        if self.delivery is not None:
            return self.delivery.status == DeliveryStatus.HELD
        return self.hushed in (Hushed.QUIET, Hushed.PAUSED)

    @property
    def is_capped(self) -> bool:
        """Whether it was to leave, and the daily limit held it back."""
        return self.delivery is not None and self.delivery.status == DeliveryStatus.CAPPED

    @property
    def held_back(self) -> str:
        """Why the daily limit held it back, in one line; nothing when it did not."""
        if self.delivery is None or not self.is_capped:
            return ""
        return _("Held back: %(reason)s") % {"reason": caps.reason(self.delivery, self.channel)}

    @property
    def is_changeable(self) -> bool:
        """Whether the member can change this cell for next time."""
        return self.layer in (Layer.SWITCH, Layer.OWN, Layer.PROFILE, Layer.DEFAULT, Layer.BUILT_IN)


@dataclass(frozen=True)
class Explanation:
    """Every channel's verdict on one event for one member."""

    event: Event
    member: Membership
    is_recipient: bool
    is_pending: bool  # the event has not been told to everybody yet
    held: Held
    verdicts: list[Verdict]
    snooze: Snooze | None = None  # the member put it off: this is it again

    @property
    def sentence(self) -> str:
        """The answer in one line."""
        if not self.is_recipient:
            return _("This is still on its way.") if self.is_pending else _("This event was not meant for you.")
        if self.held != Held.NOT:
            return _("Nothing was sent: %(reason)s.") % {"reason": self.held.label}
        if self.snooze is not None:
            return _("You snoozed this, and it came back at its time.")
        if told := self.told_by:
            return _("You got this by: %(channels)s.") % {"channels": told}
        if self.held_back or any(verdict.is_on for verdict in self.verdicts):
            return self.held_back or _("Nothing reached you: the table says why.")
        return _("Nothing was sent: every channel is off for this kind of notification.")

    @property
    def told_by(self) -> str:
        """The channels it came over, or is on its way over."""
        return ", ".join(str(verdict.channel.label) for verdict in self.verdicts if verdict.is_told)

    @property
    def held_back(self) -> str:
        """What a daily limit held back, in one line, or nothing."""
        return next((f"{verdict.held_back}." for verdict in self.verdicts if verdict.is_capped), "")


def explain(event: Event, member: Membership) -> Explanation:
    """The recorded decision. For a member whom the event was not for there are no verdicts."""
    row = Notification.objects.filter(member=member, event=event).first()
    if row is None:
        is_pending = event.fanned_out_at is None
        return Explanation(event, member, False, is_pending, Held.NOT, [])
    held = Held(row.held)
    if held != Held.NOT:
        verdicts = [Verdict(channel, False, None, _held_words(held)) for channel in of_interest(member)]
        return Explanation(event, member, True, False, held, verdicts)
    snooze = Snooze.objects.filter(returned=event).first()
    return Explanation(event, member, True, False, held, _verdicts(event, member, row), snooze)


def _verdicts(event: Event, member: Membership, row: Notification) -> list[Verdict]:
    said = Layers.from_json(event.layers or Layers(offered=0).as_json())
    answer = resolution.resolve(
        said,
        own=Choice(row.own, row.own & row.channels),
        switched_off=row.off,
        profiles=row.profiles,
        bits=channels.BITS,
    )
    deliveries = {sent.channel: sent for sent in Delivery.objects.filter(event=event, member=member)}
    together = _together(deliveries.values())
    locks = {lock.channel: lock for lock in Lock.objects.filter(account_id=event.account_id, type=event.type)}
    profiles = dict(Profile.objects.filter(pk__in=answer.profile_ids.values()).values_list("pk", "name"))
    return [
        replace(
            _verdict(channel, answer, deliveries.get(channel.key), locks.get(channel.key), profiles),
            is_left=bool(channel.bit & channels.CARRIED & ~row.waiting),
            hushed=_hushed(channel, answer.channels & ~said.required, row),
            **_in_one_mail(deliveries.get(channel.key), together),
        )
        for channel in of_interest(member, deliveries)
    ]


def _together(deliveries: Iterable[Delivery]) -> list[Delivery]:
    """All deliveries that share a mail with one of these. No query where none does."""
    merges = {one.merge_id for one in deliveries if one.merge_id}
    if not merges:
        return []
    return list(Delivery.objects.filter(merge__in=merges).select_related("event").order_by("event_id"))


def _in_one_mail(delivery: Delivery | None, together: Iterable[Delivery]) -> dict[str, Any]:
    """What a verdict says of a mail that tells several."""
    if delivery is None or delivery.merge_id is None:
        return {}
    others = [one for one in together if one.merge_id == delivery.merge_id and one.pk != delivery.pk]
    mail = next((one for one in others if one.status != DeliveryStatus.MERGED), None)
    return {
        "mail": mail if delivery.status == DeliveryStatus.MERGED else None,
        "together": tuple(one.event for one in others),
    }


def of_interest(member: Membership, told: Collection[str] = ()) -> list[Channel]:
    """All channels, but no app that the member never connected: it had nothing to say."""
    known = {*told, *member.connections.values_list("channel", flat=True)}
    return [channel for channel in channels.ALL if channel.key not in channels.APP or channel.key in known]


def _verdict(
    channel: Channel,
    answer: resolution.Answer,
    delivery: Delivery | None,
    lock: Lock | None,
    profiles: Mapping[int, str],
) -> Verdict:
    layer = answer.layers[channel.bit]
    is_on = bool(answer.channels & channel.bit)
    profile_name = profiles.get(answer.profile_ids.get(channel.bit, 0), "")
    words = layer.words
    if layer is Layer.PROFILE and profile_name:
        words = _("from the profile “%(name)s”") % {"name": profile_name}
    if layer is Layer.LOCK and lock is not None:
        words = _("locked by an administrator: %(reason)s") % {"reason": lock.reason}
    sentence = (_("On — %(why)s") if is_on else _("Off — %(why)s")) % {"why": words}
    return Verdict(channel, is_on, layer, sentence, delivery, profile_name, lock if layer is Layer.LOCK else None)


def _hushed(channel: Channel, may_be_held: int, row: Notification) -> Hushed:
    """What holds a channel inside the application: what leaves the building has a delivery that says so."""
    is_inside = channel in channels.INSIDE and bool(channel.bit & holding.PAUSABLE & may_be_held)
    return Hushed(row.hushed) if is_inside else Hushed.NOT


def _held_words(held: Held) -> str:
    return _("Held back: %(reason)s") % {"reason": held.label}
