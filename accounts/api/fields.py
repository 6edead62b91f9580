"""What a request may hold. Nothing is guessed: "1" is no number, 1 is no text, and surplus fields are refused."""

import re
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from accounts.api.paths import LARGEST_ID


class Strict(serializers.Serializer[Any]):
    """An object with exactly these fields."""

    def to_internal_value(self, data: Any) -> Any:
        problems: dict[str, Any] = {}
        given: Any = None
        try:
            given = super().to_internal_value(data)
        except serializers.ValidationError as error:
            if not isinstance(data, Mapping):
                raise
            problems = dict(error.detail) if isinstance(error.detail, dict) else {"": error.detail}
        for name in data:
            if name not in self.fields or self.fields[name].read_only:
                problems[shown(name)] = [_("There is no such field here. The fields are %s.") % ", ".join(self.fields)]
        if problems:
            raise serializers.ValidationError(problems)
        return given


class Text(serializers.CharField):
    """Text as it was sent: not trimmed, no NUL, no half characters."""

    default_error_messages = {"invalid": _("This must be text.")}

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(trim_whitespace=False, **kwargs)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty and data is not None and not isinstance(data, str):
            self.fail("invalid")
        return super().run_validation(data)


class Whole(serializers.IntegerField):
    """A whole number that a row's id or a count can be."""

    default_error_messages = {"invalid": _("This must be a whole number.")}

    def __init__(self, *, min_value: int = 1, max_value: int = LARGEST_ID, **kwargs: Any) -> None:
        super().__init__(min_value=min_value, max_value=max_value, **kwargs)

    def to_internal_value(self, data: Any) -> int:
        if isinstance(data, float) and data.is_integer():
            return int(data)
        if isinstance(data, bool) or not isinstance(data, int):
            self.fail("invalid")
        return data


class Flag(serializers.BooleanField):
    """true or false, nothing else."""

    default_error_messages = {"invalid": _("This must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            self.fail("invalid")
        return data


class AskedWhole(Whole):
    """A whole number in a query string."""

    def to_internal_value(self, data: Any) -> int:
        text = str(data)
        if not (text.isascii() and text.isdecimal() and len(text) <= 19):
            self.fail("invalid")
        return int(text)


@extend_schema_field({"type": "boolean"})
class AskedFlag(serializers.Field[Any, Any, Any, Any]):
    """true or false in a query string."""

    default_error_messages = {"invalid": _("This must be true or false.")}

    def to_internal_value(self, data: Any) -> bool:
        if data not in ("true", "false"):
            self.fail("invalid")
        return bool(data == "true")


class Moment(serializers.DateTimeField):
    """A moment with its offset, as RFC 3339 has it: without one it would be anybody's guess."""

    default_error_messages = {"invalid": _("Write the moment as 2027-03-09T08:30:00Z, with an offset.")}
    _form = re.compile(
        r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2})"
    )

    def to_internal_value(self, value: Any) -> Any:
        if not isinstance(value, str) or len(value) > 40 or not self._form.fullmatch(value):
            self.fail("invalid", format="")
        return super().to_internal_value(value.upper())


@extend_schema_field(
    {
        "oneOf": [
            {"type": "integer", "minimum": 1, "maximum": LARGEST_ID, "description": "The member's id."},
            {"type": "string", "format": "email", "maxLength": 254, "description": "The member's e-mail address."},
        ],
    }
)
class MemberRef(serializers.Field[Any, Any, Any, Any]):
    """A member, named by id or by e-mail address."""

    default_error_messages = {"invalid": _("Name a member by id (a number) or by e-mail address.")}

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, float) and data.is_integer():
            data = int(data)
        if isinstance(data, int) and not isinstance(data, bool) and 1 <= data <= LARGEST_ID:
            return data
        if isinstance(data, str) and len(data) <= 254 and "\0" not in data and "@" in data:
            return data.lower()
        return self.fail("invalid")

    def to_representation(self, value: Any) -> Any:
        return value


def shown(name: object) -> str:
    """A field's name as it may be written back, whatever it holds: short and printable."""
    text = str(name)
    text = text[:60] + ("…" if len(text) > 60 else "")
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
