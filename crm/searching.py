"""Finding records by words: what is searched, and how a query is put.

A record's search text is its folded words (no case, no accents), each after two blanks. Every three letters of it
are in an index (`crm_trigrams`, made by a migration: the embedded PostgreSQL has no pg_trgm, see docs/decisions).
A word of three letters or more is found anywhere; one or two letters are found where a word begins.
"""

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

from django.contrib.postgres.fields import ArrayField
from django.db.models import F, TextField, Value

from accounts.models import Account
from crm.models.records import Holds, RecordQuerySet, Trigrams

MOST_WORDS = 8
LONGEST_TEXT = 2000
_WORD = re.compile(r"\S+")


def folded(text: str) -> str:
    """Without case and accents: "Tomás" and "TOMAS" are one."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return unicodedata.normalize("NFC", "".join(c for c in plain if not unicodedata.combining(c)))


def text_of(parts: Iterable[object]) -> str:
    """The search text of these values."""
    words = dict.fromkeys(_WORD.findall(folded(" ".join(str(part) for part in parts if part))))
    return "".join(f"  {word}" for word in words)[:LONGEST_TEXT].rstrip()


def trigrams(account: int, text: str) -> list[str]:
    """The twin in Python of the database's `crm_trigrams`: a test holds them equal."""
    pieces = {text[i : i + 3] for i in range(len(text) - 2)}
    return sorted(f"{account}:{piece}" for piece in pieces if not piece.endswith(" "))


@dataclass(frozen=True)
class Words:
    """What somebody looks for among an account's records."""

    account: Account
    text: str

    @property
    def pieces(self) -> list[str]:
        """What a record's search text has to hold: each word, a short one with the blanks before it."""
        words = _WORD.findall(folded(self.text))[:MOST_WORDS]
        return [word if len(word) > len("  ") else f"  {word}"[-3:] for word in words]


def matching(records: RecordQuerySet, account: Account, words: str) -> RecordQuerySet:
    """Those of these records that hold every word, found by the index: right for words that few records hold."""
    sought = Words(account, words)
    for piece in sought.pieces:
        wanted = Value(trigrams(account.pk, piece), output_field=ArrayField(TextField()))
        records = records.filter(Holds(Trigrams(F("account_id"), F("search")), wanted))
    return reading(records, sought)


def reading(records: RecordQuerySet, sought: Words) -> RecordQuerySet:
    """The same, found by reading each record: right for a few thousand of them, whatever the words."""
    for piece in sought.pieces:
        records = records.filter(search__contains=piece)
    return records
