"""Why deliveries fail, in words that somebody can act on. What a server said stays on the delivery. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

ADDRESS = re.compile(r"<?[^\s<>,;]+@[^\s<>,;]+>?")
NUMBER = re.compile(r"\b(?=\w*\d)[\w-]{9,}\b")  # queue ids and the like: different in every answer
LONGEST = 160

MEANINGS: tuple[tuple[re.Pattern[str], "StrPromise"], ...] = tuple(  # the first that fits counts
    (re.compile(pattern, re.IGNORECASE), words)
    for pattern, words in (
        (r"^no address|not an e-mail address", gettext_lazy("The member’s e-mail address is none")),
        (r"\b5\.1\.[0-36]\b|no such user|user unknown|unknown user|does not exist", gettext_lazy("No such mailbox")),
        (r"\b[45]\.2\.2\b|mailbox (is )?full|over ?quota|\b(4|5)52\b", gettext_lazy("The mailbox is full")),
        (r"\b5\.7\.|spam|blocked|blacklist|policy", gettext_lazy("The mail server refused it by its policy")),
        (r"refused our sign-in", gettext_lazy("The mail server refused our sign-in")),
        (r"mail server (cannot be reached|refused us|did not answer)|connection to the mail server",
         gettext_lazy("The mail server could not be reached")),
        (r"^550\b", gettext_lazy("No such mailbox")),
        (r"^5\d\d\b", gettext_lazy("The mail server refused it for good")),
        (r"^4\d\d\b|greylist", gettext_lazy("The mail server kept saying “later”")),
        (r"allowed notifications in no browser|answered (404|410)\b", gettext_lazy("No browser takes its pushes")),
        (r"answered (429)\b", gettext_lazy("The other side had too many requests of ours")),
        (r"answered 5\d\d\b", gettext_lazy("The other side had a fault of its own")),
        (r"answered (400|401|403)\b|no keys for web push", gettext_lazy("The other side did not accept our sign-in")),
        (r"cannot be reached|did not answer|timed? ?out", gettext_lazy("The other side could not be reached")),
        (r"cut off at every attempt", gettext_lazy("It was cut off at every attempt")),
        (r"fault on our side|broke off|could not be (written|made)",
         gettext_lazy("A fault on our side; the log says more")),
    )
)  # fmt: skip


@dataclass(frozen=True)
class Reason:
    """One way to fail and how often it happened; `example` is what was said, without anybody's address."""

    words: str
    count: int
    example: str = ""


def words_of(error: str) -> str:
    """What an error means. One that nobody has put into words yet speaks for itself."""
    for pattern, words in MEANINGS:
        if pattern.search(error):
            return str(words)
    return _(plain(error)) if error else _("Nobody said why")


def plain(error: str) -> str:
    """An error without the addresses and numbers that make each one different."""
    text = NUMBER.sub("…", ADDRESS.sub("…", " ".join(error.split())))
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def most_common(errors: Iterable[tuple[str, int]], *, most: int) -> list[Reason]:
    """The most common reasons among these errors and their counts; what is rarer is put together in the last."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    for error, count in errors:
        words = words_of(error)
        counts[words] += count
        examples.setdefault(words, plain(error))
    found = [
        Reason(words, count, "" if examples[words] == words else examples[words])
        for words, count in sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    ]
    if len(found) <= most:
        return found
    rest = found[most - 1 :]
    return [*found[: most - 1], Reason(_("Other reasons"), sum(one.count for one in rest))]
