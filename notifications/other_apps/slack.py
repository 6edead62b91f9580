"""Slack: connected over OAuth, told by direct messages through the Web API.

The installation's own Slack application asks for as little as it can: to write, and to open a conversation with the
person who connected it. What the title, body and topic say is text to Slack, never markup, so nobody can mention a
whole channel through an event.
"""

import logging
from collections.abc import Mapping, Sequence
from html import escape
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from notifications.other_apps.speaking import Answer, App, BadOffer, Blank, Job, Offer, Secret
from notifications.outgoing import origin_of
from notifications.posting import TIMEOUT, Unanswered, Verdict, poster, retry_after, unanswered
from notifications.rendering import Message

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

SCOPES = ("chat:write", "im:write")
TITLE_KEPT, BODY_KEPT, TOPIC_KEPT = 300, 3000, 150  # characters; Slack takes 3,000 in a block

OVER = {  # the connection leads nowhere any more, until the member connects it again
    "token_revoked": gettext_noop("Slack says that the access was taken back."),
    "token_expired": gettext_noop("Slack says that the access ran out."),
    "account_inactive": gettext_noop("Slack says that the account is deactivated, or the application was removed."),
    "invalid_auth": gettext_noop("Slack no longer accepts the access it gave."),
    "not_authed": gettext_noop("Slack no longer accepts the access it gave."),
    "team_access_not_granted": gettext_noop("Slack no longer lets the application into the workspace."),
    "user_not_found": gettext_noop("Slack no longer knows the person."),
    "channel_not_found": gettext_noop("Slack no longer knows the person."),
}
PASSING = {"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout"}

log = logging.getLogger(__name__)


class Client(AsyncWebClient):
    """Slack's client on our own connections: no redirect is followed, nothing is tried twice in one go."""

    def __init__(self, token: str | None = None) -> None:
        super().__init__(token, base_url=settings.SLACK_API_URL, session=poster().session(), retry_handlers=[])
        self.proxy = None

    async def _request(self, *, http_verb: str, api_url: str, req_args: dict[str, Any]) -> dict[str, Any]:
        ours = {"allow_redirects": False, "timeout": TIMEOUT}
        return await super()._request(http_verb=http_verb, api_url=api_url, req_args={**req_args, **ours})


class Slack:
    """How Slack is connected and spoken to."""

    blanks: Sequence[Blank] = ()
    steps: "Sequence[StrPromise]" = ()

    def missing(self) -> str:
        if settings.SLACK_CLIENT_ID and settings.SLACK_CLIENT_SECRET:
            return ""
        return _("Your administrator has not set up Slack for this installation.")

    def understand(self, given: Mapping[str, str], before: Secret | None) -> Offer:
        raise BadOffer(_("Slack is connected from its card on the settings page."))

    def begin(self, jobs: Sequence[Job], answers: "SimpleQueue[Answer]") -> None:
        poster().send(lambda: [(settings.SLACK_API_URL, self._answer(job, answers)) for job in jobs])

    def learn(self, answers: Sequence[Answer]) -> None:
        """Nothing besides."""

    async def _answer(self, job: Job, answers: "SimpleQueue[Answer]") -> None:
        try:
            answers.put(await self._send(job))
        except Exception as fault:
            log.exception("The message of delivery %s could not be made", job.ref)
            answers.put(Answer(job, Verdict.REFUSED, f"it could not be made: {type(fault).__name__}"))

    async def _send(self, job: Job) -> Answer:
        message = job.parcel.message
        try:
            await Client(job.secret["token"]).chat_postMessage(
                channel=job.secret["user"],
                text=escape(message.title[:TITLE_KEPT], quote=False),
                blocks=blocks(message),
                unfurl_links=False,
                unfurl_media=False,
            )
        except SlackApiError as refusal:
            return answer_of(job, refusal)
        except Exception as fault:  # noqa: BLE001 (what is no fault of the way there is raised again)
            silence = unanswered(fault, origin_of(settings.SLACK_API_URL).partition("://")[2])
            return Answer(job, silence.verdict, silence.words)
        return Answer(job, Verdict.TAKEN)


def blocks(message: Message) -> list[dict[str, Any]]:
    """A message laid out for Slack: its title a link, its body, its topic. All of it is plain text to Slack."""
    title = {"type": "link", "url": message.url, "text": message.title[:TITLE_KEPT], "style": {"bold": True}}
    found: list[dict[str, Any]] = [
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [title]}]}
    ]
    if body := message.body.strip()[:BODY_KEPT]:
        found.append({"type": "section", "text": _plain(body)})
    if message.topic:
        found.append({"type": "context", "elements": [_plain(message.topic[:TOPIC_KEPT])]})
    return found


def _plain(text: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": text, "emoji": False}


def answer_of(job: Job, refusal: SlackApiError) -> Answer:
    """What an `ok: false`, or an answer that is none of Slack's, means."""
    response = refusal.response
    status = int(getattr(response, "status_code", 0) or getattr(response, "status", 0) or 0)
    data = getattr(response, "data", None)
    error = str(data.get("error", "")) if isinstance(data, dict) else ""
    given = getattr(response, "headers", None) or {}
    waits = retry_after(str(given.get("Retry-After", "")))
    if error in OVER:
        return Answer(job, Verdict.GONE, _words(OVER[error]), status=status)
    if error in PASSING or status == 429 or status >= 500 or not error:
        return Answer(job, Verdict.LATER, f"Slack answered {status} {error}".strip(), waits, status)
    return Answer(job, Verdict.REFUSED, f"Slack refused it: {error}", status=status)


def _words(sentence: str) -> str:
    return str(_(sentence))


# --- Connecting


def redirect_uri() -> str:
    """Where Slack sends people back to: exactly one address, as it stands in the Slack application's settings."""
    return f"{settings.BASE_URL}/apps/slack/callback/"


def authorize_url(state: str) -> str:
    """Where a member allows us to write to them."""
    asked = {
        "client_id": settings.SLACK_CLIENT_ID,
        "scope": ",".join(SCOPES),
        "redirect_uri": redirect_uri(),
        "state": state,
    }
    return f"{settings.SLACK_AUTHORIZE_URL}?{urlencode(asked)}"


def exchange(code: str) -> Offer:
    """What Slack gives for the code that the member came back with. Refuses in words where it gives nothing."""
    if not code:
        raise BadOffer(_("Slack was not connected, because it was not allowed there."))
    try:
        found = poster().ask(_exchange(code))
        user, token, team = found["authed_user"]["id"], found["access_token"], found["team"]["name"]
    except SlackApiError as refusal:
        data = refusal.response.data if isinstance(getattr(refusal.response, "data", None), dict) else {}
        raise BadOffer(_("Slack did not connect you: %(why)s.") % {"why": data.get("error", "no answer")}) from None
    except Unanswered as silence:
        raise BadOffer(_("Slack cannot be reached: %(why)s.") % {"why": silence.words}) from None
    except (KeyError, TypeError):
        raise BadOffer(_("Slack’s answer could not be understood. Try again.")) from None
    return Offer(str(team), {"token": str(token), "user": str(user)})


async def _exchange(code: str) -> Mapping[str, Any]:
    try:
        given = {
            "client_id": settings.SLACK_CLIENT_ID,
            "client_secret": settings.SLACK_CLIENT_SECRET,
            "code": code,
            "redirect_uri": redirect_uri(),
        }
        answer = await Client().api_call("oauth.v2.access", data=given)  # the named method uses what aiohttp gives up
    except SlackApiError:
        raise
    except Exception as fault:
        raise unanswered(fault, origin_of(settings.SLACK_API_URL).partition("://")[2]) from fault
    return answer.data if isinstance(answer.data, dict) else {}


APPS: dict[str, App] = {"slack": Slack()}
