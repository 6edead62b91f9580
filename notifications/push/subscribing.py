"""Which browsers of a person take pushes: taking them in, comparing, learning from answers, forgetting."""

import base64
import binascii
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts import browsers, pace
from accounts.errors import DomainError
from accounts.models import Membership, User
from notifications import live, outgoing
from notifications.models import BrowserSubscription, ForgottenBrowser, digest_of
from notifications.push import keys, learning
from notifications.push.deciding import NO_KEYS
from notifications.push.sending import Answer, Job, Verdict, push_now

MOST = 20  # browsers of one person; the one that was seen longest ago makes room
MOST_TESTS = 10  # of one member in a minute
SEEN_EVERY = timedelta(hours=1)  # how exactly we know when a browser was seen last


class BadSubscription(DomainError):
    """What a browser sent is no subscription."""

    code = "bad_subscription"
    status = 422


class UnknownBrowser(DomainError):
    code = "unknown_browser"
    status = 404


class Forgotten(DomainError):
    """The person forgot this browser, and nobody there has asked for notifications since."""

    code = "forgotten"


class NotDelivered(DomainError):
    """A test push did not get through; the words say why."""

    code = "push_not_delivered"


class NoPush(DomainError):
    """This installation cannot push."""

    code = "no_web_push"


@dataclass(frozen=True)
class Offer:
    """What a browser hands us when it allows notifications."""

    endpoint: str
    p256dh: str
    auth: str
    is_phone: bool = False  # the mobile channel, whether installed or a plain browser there
    is_installed: bool = False  # opened from its icon


def keep(
    person: User,
    offer: Offer,
    *,
    user_agent: str = "",
    session_key: str | None = None,
    replaces: str = "",
    is_asked: bool = False,
) -> BrowserSubscription:
    """Take a browser in, or notice that we know it already. Refuses addresses that no push may go to.

    A browser belongs to whoever is signed in there now. `replaces` is the address the same browser had before.
    One that the person forgot is refused until they ask for it there themselves: `is_asked`.
    """
    if not keys.is_available():
        raise NoPush(_(NO_KEYS))
    _check_keys(offer)
    known = BrowserSubscription.objects.filter(endpoint=offer.endpoint).first()
    session = live.session_digest(session_key)
    if known and _is_up_to_date(known, person, offer, session):
        return known
    outgoing.check(offer.endpoint, resolve=known is None)
    with transaction.atomic():
        _one_at_a_time(person)
        forgotten = _forgotten(person, offer.endpoint, replaces)
        if is_asked:
            forgotten.delete()
        elif forgotten.exists():
            raise Forgotten(_("You forgot this browser. Press “Allow notifications” to have them here again."))
        if replaces and replaces != offer.endpoint:
            BrowserSubscription.objects.filter(user=person, endpoint=replaces).delete()
        facts = {
            "user": person,
            "p256dh": offer.p256dh,
            "auth": offer.auth,
            "session": session,
            "is_phone": offer.is_phone,
            "seen_at": timezone.now(),
        }
        if user_agent:
            facts["browser"] = _name_of(user_agent, is_installed=offer.is_installed)
        row, _made = BrowserSubscription.objects.update_or_create(endpoint=offer.endpoint, defaults=facts)
        surplus = BrowserSubscription.objects.filter(user=person).order_by("-seen_at", "-pk")[MOST:]
        BrowserSubscription.objects.filter(pk__in=[each.pk for each in surplus]).delete()
    return row


def renew(person: User, offer: Offer, *, replaces: str) -> BrowserSubscription:
    """The browser changed its subscription by itself: the new one replaces the old one, which must be known."""
    old = BrowserSubscription.objects.filter(user=person, endpoint=replaces).first() if replaces else None
    if old is None:
        raise UnknownBrowser(_("This browser is not known here."))
    row = keep(person, replace(offer, is_phone=old.is_phone), replaces=replaces)
    BrowserSubscription.objects.filter(pk=row.pk).update(browser=old.browser, session=old.session)
    return row


def forget(person: User, subscription_id: int) -> None:
    """No more pushes to one of a person's browsers until they allow it there again. Refuses what is not theirs."""
    with transaction.atomic():
        _one_at_a_time(person)
        row = BrowserSubscription.objects.filter(user=person, pk=subscription_id).first()
        if row is None:
            raise UnknownBrowser(_("This browser is not in your list any more."))
        ForgottenBrowser.objects.get_or_create(user=person, digest=row.digest)
        row.delete()


def forget_sign_in(session_key: str | None) -> None:
    """Whoever signs out of a browser gets no more pushes there. Signing in again brings it back by itself."""
    if session_key:
        BrowserSubscription.objects.filter(session=live.session_digest(session_key)).delete()


def known(person: User, **by: Any) -> BrowserSubscription:
    """One of a person's browsers, by `pk` or `endpoint`. Refuses what is not theirs as unknown."""
    browser = BrowserSubscription.objects.filter(user=person, **by).first()
    if browser is None:
        raise UnknownBrowser(_("This browser is not known here. Press “Allow notifications” again."))
    return browser


def send_test(member: Membership, browser: BrowserSubscription) -> str:
    """Send a test to one browser of the member's person and say where it went. Refuses in words where it failed."""
    if not keys.is_available():
        raise NoPush(_(NO_KEYS))
    too_often = _("That were many tests within a minute. Wait a little, then try again.")
    pace.keep("push-test", who=member.pk, most=MOST_TESTS, sentence=too_often)
    answer = push_now(_test(member, browser))
    learn([answer])
    if answer.verdict is Verdict.GONE:
        raise NotDelivered(_("The push service no longer knows this browser. Press “Allow notifications” again."))
    if answer.verdict is not Verdict.TAKEN:
        raise NotDelivered(_("The test did not get through: %(why)s.") % {"why": answer.words})
    if browser.is_phone:
        return _("Sent. If nothing shows, the phone’s own settings may be holding it back.")
    return _("Sent. If nothing shows, your operating system may be holding it back.")


def _test(member: Membership, browser: BrowserSubscription) -> Job:
    return Job(
        ref=0,
        subscription_id=browser.pk,
        endpoint=browser.endpoint,
        p256dh=browser.p256dh,
        auth=browser.auth,
        event_id=0,
        hub_id=member.account.hub_id,
        title=_("This is a test"),
        body=_("Notifications of Bellhop will look like this."),
        url=f"/{member.account.hub_id}/settings/notifications/{'phone' if browser.is_phone else 'desktop'}/",
        topic="",
        language=member.spoken_language,
        ttl=60,
    )


def learn(answers: Iterable[Answer]) -> None:
    """Keep what push services said of browsers. Only one that is gone is forgotten; our own faults prune nothing."""
    learning.learn(answers, BrowserSubscription, address="endpoint")


def _one_at_a_time(person: User) -> None:
    """Hold off other changes of a person's browsers until this transaction ends."""
    User.objects.select_for_update(no_key=True).get(pk=person.pk)


def _forgotten(person: User, *endpoints: str) -> QuerySet[ForgottenBrowser]:
    """What the person forgot of these addresses, which are those of one browser now and before."""
    return ForgottenBrowser.objects.filter(user=person, digest__in=[digest_of(each) for each in endpoints if each])


def _name_of(user_agent: str, *, is_installed: bool) -> str:
    """A name for the list, like “Firefox on Linux”, or “Bellhop on iPhone” where it is installed."""
    with translation.override("en"):
        found = browsers.system_of(user_agent) if is_installed else ""
        return (f"Bellhop on {found}" if found else browsers.name_of(user_agent))[:120]


def _is_up_to_date(known: BrowserSubscription, person: User, offer: Offer, session: str) -> bool:
    """Whether there is nothing to write: most page loads only compare."""
    is_same = (known.user_id, known.p256dh, known.auth, known.session) == (person.pk, offer.p256dh, offer.auth, session)
    return is_same and known.is_phone == offer.is_phone and known.seen_at > timezone.now() - SEEN_EVERY


def _check_keys(offer: Offer) -> None:
    """Refuses keys that nothing could be encrypted with."""
    try:
        ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _bytes(offer.p256dh, 65))
        _bytes(offer.auth, 16)
    except (ValueError, binascii.Error):
        raise BadSubscription(_("What your browser sent cannot be used. Reload the page and try again.")) from None


def _bytes(given: str, length: int) -> bytes:
    if len(given) > 2 * length or not given.isascii():
        raise ValueError
    found = base64.b64decode(given.rstrip("=") + "=" * (-len(given.rstrip("=")) % 4), altchars=b"-_", validate=True)
    if len(found) != length:
        raise ValueError
    return found
