"""How a message looks in each chat: its title a link, then its body and topic. Pure.

What an event says comes from anywhere, so each app's own marks are defused: nobody is mentioned through an event, and
a link leads where the notification leads.
"""

import re
from html import escape
from urllib.parse import quote

from notifications.rendering import Message

TITLE_KEPT, TOPIC_KEPT = 300, 100  # characters
TEAMS_KEPT, DISCORD_KEPT, GOOGLE_KEPT, TELEGRAM_KEPT, PLAIN_KEPT = 950, 1900, 3900, 3500, 1000  # characters of it all

_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+\-.!|~>])")
_ZERO_WIDTH = "\u200b"


def teams(message: Message) -> str:
    """Markdown, as adaptive cards take it."""
    return _markdown(message, most=TEAMS_KEPT, between="\n\n", topic="_{}_")


def discord(message: Message) -> str:
    """Discord's Markdown."""
    return _markdown(message, most=DISCORD_KEPT, between="\n", topic="-# {}")


def chat(message: Message) -> str:
    """Markdown as most others take it."""
    return _markdown(message, most=GOOGLE_KEPT, between="\n", topic="_{}_")


def plain(message: Message) -> str:
    """Text without marks, as phones show it."""
    return _together(message.title[:TITLE_KEPT], message.body, message.url, most=PLAIN_KEPT, between="\n")


def google_chat(message: Message) -> str:
    """Google Chat's own marks, in which nothing can be escaped: angle brackets are drawn as quotation marks."""
    link = f"*<{_url(message.url)}|{_google(message.title[:TITLE_KEPT]).replace('|', '¦')}>*"
    topic = f"_{_google(message.topic[:TOPIC_KEPT])}_" if message.topic else ""
    return _together(link, _google(message.body), topic, most=GOOGLE_KEPT, between="\n")


def telegram(message: Message) -> str:
    """Telegram's HTML."""
    link = f'<b><a href="{escape(_url(message.url))}">{escape(message.title[:TITLE_KEPT])}</a></b>'
    topic = f"<i>{escape(message.topic[:TOPIC_KEPT])}</i>" if message.topic else ""
    body = escape(_cut(message.body, TELEGRAM_KEPT))  # counted as people read it
    return "\n".join(piece for piece in (link, body, topic) if piece)


def _markdown(message: Message, *, most: int, between: str, topic: str) -> str:
    link = f"**[{_plain(message.title[:TITLE_KEPT])}]({_url(message.url)})**"
    below = topic.format(_plain(message.topic[:TOPIC_KEPT])) if message.topic else ""
    return _together(link, _plain(message.body), below, most=most, between=between)


def _together(link: str, body: str, topic: str, *, most: int, between: str) -> str:
    body = _cut(body, most - len(link) - len(topic) - 2 * len(between)).rstrip("\\")
    return between.join(piece for piece in (link, body, topic) if piece)


def _plain(text: str) -> str:
    """Text in which no mark of Markdown, no mention and no tag is one any more."""
    return _MARKDOWN.sub(r"\\\1", text.replace("<", "‹").replace(">", "›").replace("@", f"@{_ZERO_WIDTH}"))


def _google(text: str) -> str:
    return text.replace("<", "‹").replace(">", "›")


def _url(url: str) -> str:
    """An address without the characters that could end it where it stands."""
    return quote(url, safe="%/:=&?~#+!$,;'@*-._")


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: max(0, room - 1)].rstrip()}…"
