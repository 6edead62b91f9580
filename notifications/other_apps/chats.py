"""Teams, Google Chat, Discord, Telegram and a few more: told through Apprise, which knows what each of them wants.

Only these of Apprise's services are used, each made from the few pieces of an address that we took out of it
ourselves: Apprise's own addresses can name files and other servers. What the title, body and topic say is escaped as
each app needs it, so that an event can neither mention a whole channel nor hide where a link leads.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy as _

from notifications.other_apps import addresses, dresses, through
from notifications.other_apps.speaking import Answer, App, Blank, Job, Offer, Secret
from notifications.posting import Reply, Unanswered, Verdict
from notifications.rendering import Message

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

AT_ONCE = 16  # messages under way, in this process; Apprise knows no other way than a thread each

GONE = {401, 403, 404, 410}  # the address was taken back, or the bot was thrown out

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chat:
    """One of them: what a member fills in, what is taken out of it, how it looks, and Apprise's service for it."""

    blanks: Sequence[Blank]
    steps: "Sequence[StrPromise]"
    read: Callable[[Mapping[str, str]], Offer]  # raises BadOffer
    dress: Callable[[Message], str]
    service: str = ""  # a key of _services; none: each secret names its own

    def missing(self) -> str:
        return ""

    def understand(self, given: Mapping[str, str], before: Secret | None) -> Offer:
        return self.read({name: value.strip() for name, value in given.items()})

    def begin(self, jobs: Sequence[Job], answers: "SimpleQueue[Answer]") -> None:
        for job in jobs:
            _threads(os.getpid()).submit(self._answer, job, answers)

    def learn(self, answers: Sequence[Answer]) -> None:
        """Nothing besides."""

    def _answer(self, job: Job, answers: "SimpleQueue[Answer]") -> None:
        try:
            service = self.service or job.secret["service"]
            body = DRESSES.get(service, self.dress)(job.parcel.message)
            speaker = _services()[service](job.secret)
            reply = through.said_during(lambda: speaker.notify(body=body))
            answers.put(answer_of(job, reply))
        except Unanswered as silence:
            answers.put(Answer(job, silence.verdict, silence.words))
        except Exception as fault:
            log.exception("The message of delivery %s could not be made", job.ref)
            answers.put(Answer(job, Verdict.REFUSED, f"it could not be made: {type(fault).__name__}"))


def answer_of(job: Job, reply: Reply) -> Answer:
    """What a status means for the message and for the connection."""
    if reply.is_success:
        return Answer(job, Verdict.TAKEN, status=reply.status, took=reply.took)
    if reply.status in GONE or (reply.status == 400 and "chat not found" in reply.words):
        verdict = Verdict.GONE
    elif reply.status in {408, 425, 429} or reply.status >= 500 or reply.status < 400:
        verdict = Verdict.LATER
    else:
        verdict = Verdict.REFUSED
    words = f"{reply.words} (redirects are not followed)" if 300 <= reply.status < 400 else reply.words
    return Answer(job, verdict, words, reply.retry_after, reply.status, reply.took)


@lru_cache(maxsize=2)
def _threads(_process: int) -> ThreadPoolExecutor:
    """This process's threads; a process that was forked off starts with none."""
    return ThreadPoolExecutor(AT_ONCE, thread_name_prefix="chats")


@lru_cache(maxsize=1)
def _services() -> Mapping[str, Callable[[Mapping[str, str]], Any]]:
    """Apprise's services, each made from the pieces of a secret. Loaded when something is sent: it is much."""
    from apprise.asset import AppriseAsset
    from apprise.plugins import discord, google_chat, mattermost, ntfy, pushover, rocketchat, telegram, workflows
    from django.conf import settings

    # Apprise is typed in part only.
    chat: Any = google_chat.NotifyGoogleChat
    bot: Any = telegram.NotifyTelegram
    card: Any = workflows.NotifyWorkflows
    topic: Any = ntfy.NotifyNtfy
    push: Any = pushover.NotifyPushover
    room: Any = rocketchat.NotifyRocketChat
    asset = AppriseAsset(storage_mode="memory", http_redirects=False)
    through.carries(discord, origin=settings.DISCORD_URL)
    through.carries(google_chat, origin=settings.GOOGLE_CHAT_URL)
    through.carries(telegram, origin=settings.TELEGRAM_URL)
    through.carries(workflows, origin=settings.TEAMS_URL)
    through.carries(ntfy, origin=settings.NTFY_URL)
    through.carries(pushover, origin=settings.PUSHOVER_URL)
    through.carries(mattermost)
    through.carries(rocketchat)
    return {
        "discord": lambda given: discord.NotifyDiscord(
            webhook_id=given["id"], webhook_token=given["token"], avatar=False, asset=asset
        ),
        "google_chat": lambda given: chat(
            workspace=given["space"], webhook_key=given["key"], webhook_token=given["token"], asset=asset
        ),
        "telegram": lambda given: bot(
            bot_token=given["token"], targets=[given["chat"]], detect_owner=False, asset=asset
        ),
        "teams": lambda given: card(
            workflow=given["workflow"],
            signature=given["signature"],
            power_automate=given["kind"] == "automate",
            routing_id=given.get("route") or None,
            version=given["version"],
            include_image=False,
            host=given["host"],
            asset=asset,
        ),
        "ntfy": lambda given: topic(targets=[given["topic"]], mode="cloud", include_image=False, asset=asset),
        "pushover": lambda given: push(user_key=given["user"], token=given["token"], asset=asset),
        "mattermost": lambda given: mattermost.NotifyMattermost(token=given["token"], **_host(given), asset=asset),
        "rocketchat": lambda given: room(
            webhook=given["token"], mode="webhook", avatar=False, **_host(given), asset=asset
        ),
    }


def _host(given: Mapping[str, str]) -> dict[str, Any]:
    """The member's own server. It is looked at again when the connection is made."""
    port = int(given["port"]) if given.get("port") else None
    return {"host": given["host"], "port": port, "secure": given["scheme"] == "https"}


DRESSES = {"ntfy": dresses.plain, "pushover": dresses.plain}  # of what is no chat with marks of its own


def _address(label: "StrPromise", placeholder: str) -> tuple[Blank, ...]:
    return (Blank("url", label, _("Whoever has this address can write there, so it is kept sealed."), placeholder),)


APPS: dict[str, App] = {
    "teams": Chat(
        blanks=_address(_("Address of the workflow"), "https://….logic.azure.com/workflows/…"),
        steps=(
            _("In Teams, open the chat or channel that should hear, and choose “Workflows” in its menu."),
            _("Take the template “Send webhook alerts to a chat” or “… to a channel” and save it."),
            _("Copy the address it shows and paste it here."),
        ),
        read=addresses.teams,
        dress=dresses.teams,
        service="teams",
    ),
    "google_chat": Chat(
        blanks=_address(_("Address of the webhook"), "https://chat.googleapis.com/v1/spaces/…"),
        steps=(
            _("In Google Chat, open the space and choose “Apps & integrations” in its menu."),
            _("Add a webhook and give it a name, such as Bellhop."),
            _("Copy its address and paste it here."),
        ),
        read=addresses.google_chat,
        dress=dresses.google_chat,
        service="google_chat",
    ),
    "discord": Chat(
        blanks=_address(_("Address of the webhook"), "https://discord.com/api/webhooks/…"),
        steps=(
            _("In Discord, open the settings of the channel and choose “Integrations”."),
            _("Make a webhook, copy its address and paste it here."),
        ),
        read=addresses.discord,
        dress=dresses.discord,
        service="discord",
    ),
    "telegram": Chat(
        blanks=(
            Blank("token", _("Token of your bot"), _("Kept sealed."), "123456789:AA…"),
            Blank("chat", _("Chat"), _("Its number, or the @name of a channel or group."), "123456789"),
        ),
        steps=(
            _("In Telegram, write /newbot to @BotFather and copy the token it answers with."),
            _("Write anything to your new bot, so that it may answer you."),
            _("Write to @userinfobot, which tells you your number, and paste both here."),
        ),
        read=addresses.telegram,
        dress=dresses.telegram,
        service="telegram",
    ),
    "apprise": Chat(
        blanks=_address(_("Address"), "https://ntfy.sh/…"),
        steps=(
            _("ntfy: paste the address of your topic, https://ntfy.sh/ and its name."),
            _("Pushover: paste pover:// then your user key, @, and the token of an application you made there."),
            _("Mattermost or Rocket.Chat: make an incoming webhook and paste its address."),
        ),
        read=addresses.more,
        dress=dresses.chat,
    ),
}
