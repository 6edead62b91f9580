"""Reading one part of a workflow, as somebody wrote it: what is right is kept, what is not is named, field by field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Team
from crm import checking, conditions
from crm.errors import InvalidRecord
from crm.filtering import InvalidFilter
from crm.kinds import Kind
from notifications.types.values import problem_with_value

MOST_NAMED: Final = 200  # members or teams in one step
BIGGEST: Final = 2**63 - 1


@dataclass(frozen=True)
class Place:
    """Whose workflow it is, for which kind of record, and on whose clock a time without a zone is meant."""

    account: Account
    kind: Kind
    by: Membership


def place(account: Account, kind: Kind, by: Membership | None) -> Place:
    """`by` None: the account's own clock."""
    return Place(account, kind, by or Membership(account=account))


@dataclass
class Part:
    """A trigger or a step. Each method reads one of its fields; `problems` gathers what is wrong."""

    given: Mapping[str, Any]
    place: Place
    problems: dict[str, list[str]] = field(default_factory=dict)

    def wrong(self, name: str, sentence: str) -> None:
        self.problems.setdefault(name, []).append(sentence)

    def text(self, name: str, longest: int) -> str:
        """Some text that must be there."""
        raw = self.given.get(name)
        text = raw.strip() if isinstance(raw, str) else ""
        if not text:
            self.wrong(name, _("Write something here."))
        elif len(text) > longest:
            sentence = _("This is %(is)d characters long; at most %(most)d fit.")
            self.wrong(name, sentence % {"is": len(text), "most": longest})
        elif problem := problem_with_value(text):
            self.wrong(name, problem)
        return text

    def number(self, name: str, least: int, most: int) -> int:
        number = whole(self.given.get(name))
        if number is None or not least <= number <= most:
            self.wrong(name, _("Write a whole number from %(least)d to %(most)d.") % {"least": least, "most": most})
            return least
        return number

    def choice(self, name: str, choices: Sequence[str]) -> str:
        value = self.given.get(name)
        if value not in choices:
            self.wrong(name, _("Choose one of: %s.") % ", ".join(choices))
            return ""
        return str(value)

    def flag(self, name: str) -> bool:
        value = self.given.get(name, False)
        if not isinstance(value, bool):
            self.wrong(name, _("Choose yes or no."))
        return value is True

    def member(self, name: str) -> int:
        """An active member of the account."""
        found = _ids([self.given.get(name)])
        if not found or not active(self.place.account, found):
            self.wrong(name, _("Choose an active member of the account."))
        return found[0] if found else 0

    def members(self, name: str) -> list[int]:
        """Members of the account, in their order; those who left stay in the row, for they may come back."""
        known = Membership.objects.of(self.place.account)
        return self._several(name, set(known.filter(pk__in=self._named(name)).values_list("pk", flat=True)))

    def teams(self, name: str) -> list[int]:
        known = Team.objects.filter(account=self.place.account, pk__in=self._named(name))
        return self._several(name, set(known.values_list("pk", flat=True)))

    def conditions(self, name: str) -> list[dict[str, Any]]:
        """Conditions on the record, as they are kept."""
        raw = self.given.get(name, [])
        is_list = isinstance(raw, list | tuple) and all(isinstance(one, Mapping) for one in raw)
        read = conditions.from_json([dict(one) for one in raw]) if is_list else []
        if not is_list or len(read) != len(raw):
            self.wrong(name, _("Write a list of conditions, each with a property and an operator."))
            return []
        try:
            return conditions.as_json(conditions.checked(self.place.kind, read, member=self.place.by))
        except InvalidFilter as error:
            for key, sentences in error.fields.items() or {"where": [str(error)]}.items():
                self.problems[key.replace("where", name)] = list(sentences)
            return []

    def value_of(self, name: str, key: str) -> Any:
        """A value that this property of a record can hold, None to empty it; members and stages are looked up."""
        place, given = self.place, {key: self.given.get(name)}
        try:
            return checking.cleaned(place.kind, given, account=place.account, zone=place.by.zone, is_new=False)[key]
        except InvalidRecord as error:
            self.problems[name] = [line for lines in error.fields.values() for line in lines] or [str(error)]
            return None

    def property(self, name: str) -> str:
        key = self.given.get(name)
        if not isinstance(key, str) or self.place.kind.find(key) is None:
            self.wrong(name, _("Choose a property of the record."))
            return ""
        return key

    def _named(self, name: str) -> list[int]:
        return _ids(self.given.get(name, []))

    def _several(self, name: str, known: set[int]) -> list[int]:
        raw, found = self.given.get(name, []), self._named(name)
        if not isinstance(raw, list | tuple) or len(found) != len(raw) or not known.issuperset(found):
            self.wrong(name, _("One of these is not in the account any more. Take it out or choose another one."))
        elif len(found) > MOST_NAMED:
            self.wrong(name, _("At most %(most)d fit.") % {"most": MOST_NAMED})
        return list(dict.fromkeys(found))


def active(account: Account, members: Sequence[int]) -> list[int]:
    """Those of these members who are active, in the same order. One query."""
    rows = Membership.objects.active().of(account).filter(pk__in=members)
    found = set(rows.values_list("pk", flat=True))
    return [pk for pk in members if pk in found]


def whole(raw: object) -> int | None:
    """A whole number, also as the text of a form."""
    if isinstance(raw, str) and raw.strip().isascii() and raw.strip().lstrip("-").isdigit() and len(raw) < 20:
        return int(raw)
    return raw if isinstance(raw, int) and not isinstance(raw, bool) else None


def _ids(raw: object) -> list[int]:
    numbers = [whole(one) for one in raw] if isinstance(raw, list | tuple) else []
    return [one for one in numbers if one is not None and 0 < one <= BIGGEST]
