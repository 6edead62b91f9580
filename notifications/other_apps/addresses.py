"""What members paste to connect a chat, taken apart. Only addresses of the service itself are taken, and of a
member's own server only public ones."""

import re
from collections.abc import Mapping
from urllib.parse import SplitResult, parse_qs, urlsplit

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from notifications import outgoing
from notifications.other_apps.speaking import BadOffer, Offer

LONGEST = 2000
TEAMS = ("logic.azure.com", "environment.api.powerplatform.com")  # below these each organisation has its own
WORD = r"[A-Za-z0-9_-]{1,200}"
TEAMS_PATH = re.compile(
    rf"(/powerautomate/automations/direct(?:/cu/(\d{{1,6}}))?)?/workflows/({WORD})/triggers/manual/paths/invoke/?"
)
DISCORD_PATH = re.compile(rf"/api(?:/v\d{{1,3}})?/webhooks/(\d{{1,30}})/({WORD})/?")
GOOGLE_PATH = re.compile(rf"/v1/spaces/({WORD})/messages/?")
BOT = re.compile(r"(?:bot)?(\d{3,20}:[A-Za-z0-9_-]{10,100})")
CHAT = re.compile(r"-?\d{1,20}|@[A-Za-z][A-Za-z0-9_]{3,63}")


def teams(given: Mapping[str, str]) -> Offer:
    """The address of a workflow of Teams or Power Automate."""
    parts, asked = _parts(given, _not_teams())
    host = (parts.hostname or "").lower()
    found = TEAMS_PATH.fullmatch(parts.path)
    signature, version = asked.get("sig", ""), asked.get("api-version", "")
    is_theirs = any(host.endswith(f".{name}") for name in TEAMS) and parts.port in (None, 443)
    if not (found and is_theirs and re.fullmatch(WORD, signature) and re.fullmatch(r"[\w-]{1,40}", version, re.ASCII)):
        raise _bad("url", _not_teams())
    kind = "automate" if found[1] else "flow"
    facts = {"host": host, "workflow": found[3], "signature": signature, "version": version, "kind": kind}
    return Offer(_("a workflow at %(host)s") % {"host": host}, {**facts, "route": found[2] or ""})


def google_chat(given: Mapping[str, str]) -> Offer:
    """The address of a space's incoming webhook."""
    parts, asked = _parts(given, _not_google())
    found = GOOGLE_PATH.fullmatch(parts.path)
    key, token = asked.get("key", ""), asked.get("token", "")
    is_theirs = parts.hostname == "chat.googleapis.com" and parts.port in (None, 443)
    if not (found and is_theirs and re.fullmatch(WORD, key) and re.fullmatch(r"[\w=-]{1,200}", token, re.ASCII)):
        raise _bad("url", _not_google())
    label = _("the space %(space)s") % {"space": found[1]}
    return Offer(label, {"space": found[1], "key": key, "token": token})


def discord(given: Mapping[str, str]) -> Offer:
    """The address of a channel's webhook."""
    parts, _asked = _parts(given, _not_discord())
    found = DISCORD_PATH.fullmatch(parts.path)
    if not (found and parts.hostname in {"discord.com", "discordapp.com"} and parts.port in (None, 443)):
        raise _bad("url", _not_discord())
    return Offer(_("the webhook %(number)s") % {"number": found[1]}, {"id": found[1], "token": found[2]})


def telegram(given: Mapping[str, str]) -> Offer:
    """A bot's token and the chat that it writes to."""
    bot, chat = BOT.fullmatch(given.get("token", "")), CHAT.fullmatch(given.get("chat", ""))
    problems = {}
    if not bot:
        problems["token"] = [_("A bot’s token looks like 123456789:AA and letters. @BotFather tells it.")]
    if not chat:
        problems["chat"] = [_("Write the chat’s number, such as 123456789, or the @name of a channel or group.")]
    if not (bot and chat):
        raise BadOffer(next(iter(problems.values()))[0], fields=problems)
    where = _("the chat %(chat)s, by the bot %(bot)s") % {"chat": chat[0], "bot": bot[1].partition(":")[0]}
    return Offer(where, {"token": bot[1], "chat": chat[0]})


def more(given: Mapping[str, str]) -> Offer:
    """An address of one of the other services: what they are is a table."""
    url = given.get("url", "")
    for service, (pattern, label) in MORE.items():
        if found := pattern.fullmatch(url):
            facts = {name: value for name, value in found.groupdict().items() if value}
            if "host" in facts:
                _refuse_inside(url)
            return Offer(str(label) % facts, {"service": service, **facts})
    raise _bad("url", _("This is none of the addresses described above."))


def _refuse_inside(url: str) -> None:
    try:
        outgoing.check(url, resolve=True)
    except outgoing.BadAddress as refusal:
        raise _bad("url", str(refusal)) from None


_SERVER = r"(?P<scheme>https?)://(?P<host>[A-Za-z0-9][A-Za-z0-9.-]{0,250})(?::(?P<port>\d{1,5}))?"
MORE = {  # what an address looks like, and how it is called without its secret
    "ntfy": (re.compile(r"https://ntfy\.sh/(?P<topic>[A-Za-z0-9_-]{1,64})"), gettext_lazy("a topic at ntfy.sh")),
    "pushover": (
        re.compile(r"pover://(?P<user>[A-Za-z0-9]{30})@(?P<token>[A-Za-z0-9]{30})/?"),
        gettext_lazy("Pushover"),
    ),
    "mattermost": (
        re.compile(rf"{_SERVER}/hooks/(?P<token>[a-z0-9]{{26}})/?"),
        gettext_lazy("Mattermost at %(host)s"),
    ),
    "rocketchat": (
        re.compile(rf"{_SERVER}/hooks/(?P<token>[A-Za-z0-9]{{17,24}}/[A-Za-z0-9]{{40,70}})/?"),
        gettext_lazy("Rocket.Chat at %(host)s"),
    ),
}


def _not_teams() -> str:
    return _(
        "This is not the address of a Teams workflow. It begins with https:// and its host ends with %(hosts)s."
    ) % {"hosts": " / ".join(TEAMS)}


def _not_google() -> str:
    return _("This is not the address of a Google Chat webhook. It begins with https://chat.googleapis.com/v1/spaces/.")


def _not_discord() -> str:
    return _("This is not the address of a Discord webhook. It begins with https://discord.com/api/webhooks/.")


def _parts(given: Mapping[str, str], words: str) -> tuple[SplitResult, dict[str, str]]:
    """An https address and what it asks for, each once."""
    url = given.get("url", "")
    try:
        parts = urlsplit(url)
        _port = parts.port
        asked = {name: values[-1] for name, values in parse_qs(parts.query, max_num_fields=20).items()}
    except ValueError:
        raise _bad("url", words) from None
    is_plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url and len(url) <= LONGEST
    if not is_plain or parts.scheme != "https" or parts.username is not None or parts.password is not None:
        raise _bad("url", words)
    return parts, asked


def _bad(field: str, words: str) -> BadOffer:
    return BadOffer(words, fields={field: [words]})
