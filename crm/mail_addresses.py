"""E-mail addresses in the one form they are kept and compared in."""

import re
import unicodedata

import idna
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator
from django.utils.translation import gettext as _

LONGEST = 320
_valid = EmailValidator()
_DOMAIN = re.compile(r"(?=.{1,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9][a-z0-9-]{0,61}[a-z0-9]")


def normalised(text: str) -> str:
    """Lower-case, NFC, the domain in ASCII (IDNA 2008). No folding of dots or plus signs.

    Raises ValueError with a sentence when it is no address.
    """
    text = unicodedata.normalize("NFC", text.strip()).lower()
    local, at, domain = text.rpartition("@")
    if not at or not local or len(text) > LONGEST or any(c.isspace() or not c.isprintable() for c in text):
        raise ValueError(_refusal(text))
    address = f"{local}@{normalised_domain(domain, whole=text)}"
    if not local.isascii():
        return address  # RFC 6531 allows letters of any script; the validator knows ASCII only
    try:
        _valid(address)
    except ValidationError as error:
        raise ValueError(_refusal(text)) from error
    return address


def normalised_domain(text: str, *, whole: str = "") -> str:
    """A host name in lower-case ASCII. Raises ValueError with a sentence when it is none."""
    text = unicodedata.normalize("NFC", text.strip()).lower().rstrip(".")
    try:
        domain = text if text.isascii() else idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise ValueError(_refusal(whole or text)) from error
    if not _DOMAIN.fullmatch(domain):
        raise ValueError(_refusal(whole) if whole else _("“%s” is not a domain such as example.com.") % text[:80])
    return domain


def domain_of(address: str) -> str:
    return address.rpartition("@")[2]


def _refusal(text: str) -> str:
    return _("“%s” is not an e-mail address such as ann@example.com.") % text[:80]
