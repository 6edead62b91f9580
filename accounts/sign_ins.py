"""Every sign-in is kept for a while, so that an unusual one can be told from the person's own history (N-112).

No service outside is asked. A browser is known by a mark of its own, a cookie that says nothing else.
"""

import re
import secrets
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import sha256

from allauth.account.adapter import get_adapter
from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase
from django.utils import timezone, translation
from django.utils.translation import gettext_lazy as _

from accounts import browsers, places
from accounts.models import Membership, SignIn, User

COOKIE = "bellhop_device"
COOKIE_AGE = timedelta(days=400)  # browsers keep none longer
MARK = re.compile(r"[\w-]{22}", re.ASCII)

KEPT = timedelta(days=180)
LOOKED_AT = 200  # of the newest sign-ins
ENOUGH_FOR_PLACE = 5  # sign-ins after which a network that was never seen is unusual …
FEW_NETWORKS = 3  # … for somebody who comes from no more than so many
ENOUGH_FOR_HOUR = 20  # sign-ins after which an hour can be unusual
NEAR = 2  # hours to either side that count as the same


class Risk(StrEnum):
    """What is unusual about a sign-in."""

    NEW_DEVICE = "new_device"
    NEW_PLACE = "new_place"
    ODD_HOUR = "odd_hour"


WORDS = {
    Risk.NEW_DEVICE: _("a browser you had not used before"),
    Risk.NEW_PLACE: _("a place you had not signed in from"),
    Risk.ODD_HOUR: _("an hour at which you usually do not sign in"),
}


@dataclass(frozen=True)
class Seen:
    """What one sign-in is compared by. `hour` is on the person's own clock."""

    device: str
    network: str
    country: str
    hour: int


def judge(now: Seen, before: Sequence[Seen]) -> list[Risk]:
    """What is unusual about a sign-in, compared with the person's earlier ones. The very first is never unusual."""
    if not before:
        return []
    risks = []
    if now.device not in {seen.device for seen in before}:
        risks.append(Risk.NEW_DEVICE)
    if _is_elsewhere(now, before):
        risks.append(Risk.NEW_PLACE)
    if len(before) >= ENOUGH_FOR_HOUR and not any(_hours_between(now.hour, seen.hour) <= NEAR for seen in before):
        risks.append(Risk.ODD_HOUR)
    return risks


def _is_elsewhere(now: Seen, before: Sequence[Seen]) -> bool:
    """By country where it is known. Otherwise by network, for those who rarely change it: a phone does all day."""
    countries = {seen.country for seen in before if seen.country}
    if now.country and countries:
        return now.country not in countries
    networks = {seen.network for seen in before}
    return len(before) >= ENOUGH_FOR_PLACE and len(networks) <= FEW_NETWORKS and now.network not in networks


def _hours_between(one: int, other: int) -> int:
    apart = abs(one - other)
    return min(apart, 24 - apart)


def record(request: HttpRequest, user: User) -> SignIn:
    """Write a sign-in down, with what is unusual about it, and forget those that are too old to count."""
    at, member = timezone.now(), member_of(user)
    language = member.spoken_language if member else settings.LANGUAGE_CODE
    with translation.override(language):
        place = places.of(str(get_adapter().get_client_ip(request) or ""))
        browser = browsers.name_of(request.headers.get("User-Agent", ""))
    device = _digest(mark_of(request))
    with transaction.atomic():
        User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once: the second one knows the first
        SignIn.objects.filter(user=user, at__lt=at - KEPT).delete()
        before = SignIn.objects.filter(user=user).exclude(answer=SignIn.Answer.NOT_MINE).order_by("-at", "-pk")
        now = Seen(device, place.network, place.country, _hour(at, member))
        risks = judge(now, [_seen(row, member) for row in before[:LOOKED_AT]])
        return SignIn.objects.create(
            user=user,
            at=at,
            device=device,
            browser=browser[:120],
            network=place.network,
            country=place.country,
            place=place.words,
            session=_digest(request.session.session_key or ""),
            risks=[risk.value for risk in risks],
        )


def member_of(user: User) -> Membership | None:
    """The membership by which a person is told of their sign-ins, and by whose clock they live: their first."""
    found = Membership.objects.active().filter(user=user).select_related("account", "user")
    return found.order_by("pk").first()


def _seen(row: SignIn, member: Membership | None) -> Seen:
    return Seen(row.device, row.network, row.country, _hour(row.at, member))


def _hour(at: datetime, member: Membership | None) -> int:
    return (at.astimezone(member.zone) if member else at).hour


def mark_of(request: HttpRequest) -> str:
    """The browser's mark, made now where it has none. The same for the whole request."""
    mark = getattr(request, "device_mark", "") or request.COOKIES.get(COOKIE, "")
    if not MARK.fullmatch(mark):
        mark = secrets.token_urlsafe(16)
    request.device_mark = mark  # type: ignore[attr-defined]  # the request carries it to `remember`
    return mark


def remember(request: HttpRequest, response: HttpResponseBase) -> None:
    """Leave the mark in the browser, so that it is known the next time."""
    response.set_cookie(
        COOKIE,
        mark_of(request),
        max_age=COOKIE_AGE,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )


def reasons(risks: Collection[str]) -> list[str]:
    """What was unusual, in words."""
    return [str(words) for risk, words in WORDS.items() if risk in risks]


def answer(sign_in: SignIn, *, was_me: bool) -> bool:
    """The person says whether it was them. If not, that session ends; returns whether it was still there.

    Said twice it is the same; the last word holds, but a session that was ended stays ended.
    """
    said = SignIn.Answer.MINE if was_me else SignIn.Answer.NOT_MINE
    SignIn.objects.filter(pk=sign_in.pk).update(answer=said, answered_at=timezone.now())
    if was_me:
        return True
    sessions = UserSession.objects.filter(user_id=sign_in.user_id)
    there = [session for session in sessions if _digest(session.session_key) == sign_in.session]
    was_there = any(session.exists() for session in there)
    for session in there:
        session.end()
    return was_there


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
