"""One event that tells what many were: what was held while its member wanted to be left alone."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from django.utils import translation
from django.utils.translation import gettext as _

from accounts.models import Membership
from notifications import events, rendering, types
from notifications.events import Audience, Known
from notifications.models import Event
from notifications.resolution import Layers
from notifications.types.system import CATCH_UP

MOST_LISTED = 30  # in the mail
MOST_BYTES = 10_000
MOST_TOPICS = 4  # named in a line


@dataclass(frozen=True)
class Summary:
    """One summary: its event, not written yet, whose it is, and the events that its list names (none: no list)."""

    event: Event
    member: Membership
    listed: list[int]


def write(
    member: Membership, by_event: Mapping[int, str], *, bits: int, has_list: bool, key: str, said: Layers
) -> Summary:
    """The event that tells all of it at once, in the member's words: the types of events by their ids, newest first,
    over some channels only. A list belongs to what is read at leisure."""
    base = f"/{member.account.hub_id}/notifications/"
    event = events.drafted(
        CATCH_UP,
        audience=Audience(members=(member.pk,)),
        account=member.account,
        known=Known(frozenset([member.pk]), frozenset()),
        data={
            "count": len(by_event),
            "what": _what(by_event.values(), member.spoken_language),
            "listed": "",
            "url": f"{base}?unread=on",
        },
        key=key,
    )
    events.limit_to(event, bits, said)
    return Summary(event, member, list(by_event)[:MOST_LISTED] if has_list else [])


def _what(type_keys: Iterable[str], language: str) -> str:
    """“Deals 3, Tasks 2 and 2 more”: how many of each topic, the most first."""
    with translation.override(language):
        counts = Counter(
            str(kind.topic.label) if (kind := types.TYPES.get(key)) else _("Others") for key in type_keys
        ).most_common()
        words = ", ".join(f"{topic} {count}" for topic, count in counts[:MOST_TOPICS])
        more = sum(count for _topic, count in counts[MOST_TOPICS:])
        return _("%(some)s and %(more)s more") % {"some": words, "more": more} if more else words


def fill_lists(summaries: Iterable[Summary]) -> None:
    """Name what each summary with a list is about: the newest, each a link that also marks it read."""
    wanted = {event_id for summary in summaries for event_id in summary.listed}
    found = Event.objects.in_bulk(wanted) if wanted else {}
    for summary in summaries:
        lines: list[str] = []
        language, base = summary.member.spoken_language, f"/{summary.member.account.hub_id}/notifications/"
        for event_id in summary.listed:
            title = rendering.render(found[event_id].type, found[event_id].data, language=language).title[:200]
            lines.append(f"{title}\t{base}{event_id}/open/")
        while len("\n".join(lines).encode()) > MOST_BYTES:
            lines.pop()
        summary.event.data["listed"] = "\n".join(lines)
