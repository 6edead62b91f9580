"""Names and keys of what a super admin defines."""

import re
import unicodedata
from collections.abc import Collection

from django.utils.translation import gettext as _

from notifications.types.values import problem_with_value

LONGEST = 80  # of a name
LONGEST_KEY = 60
_KEY = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def cleaned(name: str, *, longest: int = LONGEST) -> str:
    """A name as it is kept, in one line. Raises ValueError with a sentence for the field."""
    if problem := problem_with_value(name):
        raise ValueError(problem)
    name = " ".join(name.split())
    if not name:
        raise ValueError(_("Write a name of at most %(most)d characters.") % {"most": longest})
    if len(name) > longest:
        raise ValueError(
            _("This is %(is)d characters long; at most %(most)d fit.") % {"is": len(name), "most": longest}
        )
    return name


def is_key(key: str) -> bool:
    """Whether this can be a key: part of addresses and of what programs send."""
    return len(key) <= LONGEST_KEY and _KEY.fullmatch(key) is not None


def key_for(name: str, *, taken: Collection[str], otherwise: str) -> str:
    """A key for a name whose author gave none. Names without Latin letters are called `otherwise`, and numbered."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    base = re.sub(r"[^a-z0-9]+", "_", plain).strip("_").lstrip("0123456789_")
    base = base[: LONGEST_KEY - 5].rstrip("_") or otherwise
    number, key = 1, base
    while key in taken:
        number += 1
        key = f"{base}_{number}"
    return key
