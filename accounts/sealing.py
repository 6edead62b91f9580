"""Secrets at rest: what others entrusted to us (tokens, passwords of other services) is stored sealed.

Sealed with Fernet (AES-128-CBC and HMAC-SHA256) under SEALING_KEYS: the first key seals, every one opens, so a new
key is put in front and the old one stays until everything has been sealed anew. Without SEALING_KEYS a key is
derived from SECRET_KEY.
"""

import base64
from functools import lru_cache

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from django.utils.translation import gettext as _

from accounts.errors import DomainError


class Unreadable(DomainError):
    """A secret that none of our keys opens: the keys were changed, or the row was."""

    code = "secret_unreadable"


def seal(secret: str) -> str:
    """The secret as it may be stored. Sealed twice it looks different."""
    return _box().encrypt(secret.encode()).decode()


def unseal(sealed: str) -> str:
    """The secret itself. Raises Unreadable where no key opens it."""
    try:
        return _box().decrypt(sealed.encode()).decode()
    except (InvalidToken, UnicodeError):
        raise Unreadable(_("What is stored here cannot be read any more. Connect it again.")) from None


def _box() -> MultiFernet:
    return _box_of(tuple(settings.SEALING_KEYS or [settings.SECRET_KEY]))


@lru_cache(maxsize=16)
def _box_of(keys: tuple[str, ...]) -> MultiFernet:
    return MultiFernet([Fernet(_key(words)) for words in keys])


def _key(words: str) -> bytes:
    """Any long secret as the 32 bytes that Fernet needs."""
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"bellhop sealing").derive(words.encode())
    return base64.urlsafe_b64encode(derived)
