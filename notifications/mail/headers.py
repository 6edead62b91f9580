"""Header lines that stay what they are: one line each, whatever a name or a title holds."""

import binascii
import re
from email.utils import parseaddr
from functools import lru_cache

from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

LINE = 76
CHUNK = 45  # bytes of UTF-8 in one encoded word: 60 letters of base64, within the 75 of RFC 2047
SUBJECT = 200  # characters

# Control characters, lone surrogates, and marks that reorder the text around them.
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\u202a-\u202e\u2066-\u2069\ufeff\ufffe\uffff]+")
_PLAIN = re.compile(r"[ -~]*")
_check_address = EmailValidator()


class Undeliverable(ValueError):
    """An address that no mail can be sent to. Its text says why."""


def one_line(text: str, *, most: int = SUBJECT) -> str:
    """Text on one line, without what could end the line or turn its reading direction, cut at a word if too long."""
    if len(text) <= most and text.isprintable() and "  " not in text and text[:1] != " " != text[-1:]:
        return text  # most are so, and nothing below would change them
    line = " ".join(_UNSAFE.sub(" ", text).split())
    if len(line) <= most:
        return line
    cut = line[: most - 1]
    return f"{cut[: cut.rfind(' ')] if ' ' in cut[most // 2 :] else cut}…"


def harmless(text: str) -> str:
    """Text without what may not stand in a mail at all."""
    return _UNSAFE.sub("", text)


def printable(text: str) -> str:
    """Text of several lines without what may not stand in a mail: control characters and lone surrogates."""
    return "\n".join(_UNSAFE.sub(" ", line) for line in text.replace("\r\n", "\n").split("\n"))


def header(name: str, text: str) -> str:
    """A whole header line of free text, encoded where it has to be and folded; no line break at its end."""
    if _PLAIN.fullmatch(text) and "=?" not in text:
        return _folded(f"{name}: {text}")
    return f"{name}: {_words(text)}"


def mailbox(name: str, address: str) -> str:
    """A name and an address as they stand in From and To."""
    if not name or name == address:
        return address
    if _PLAIN.fullmatch(name) and "=?" not in name:
        escaped = name.replace("\\", "\\\\").replace('"', '\\"')
        return f'"{escaped}"\r\n <{address}>' if len(escaped) + len(address) > LINE - 16 else f'"{escaped}" <{address}>'
    return f"{_words(name)}\r\n <{address}>"


def deliverable(address: str) -> str:
    """The address as SMTP takes it, its domain in ASCII. Raises Undeliverable."""
    if not address.strip():
        raise Undeliverable("no address")
    local, _at, domain = address.strip().rpartition("@")
    try:
        # Django's check takes the part before the @ in ASCII only, and so do we: few servers take more.
        _check_address(address.strip())
        return f"{local}@{domain if domain.isascii() else domain.encode('idna').decode('ascii')}"
    except (ValidationError, UnicodeError):
        raise Undeliverable("not an e-mail address") from None


@lru_cache(maxsize=8)
def name_and_address(sender: str) -> tuple[str, str]:
    """The parts of a From setting."""
    return parseaddr(sender)


def _words(text: str) -> str:
    """Encoded words in UTF-8 and base64, one to a line, none ending within a letter."""
    encoded, words, start = text.encode(), [], 0
    while start < len(encoded):
        end = min(start + CHUNK, len(encoded))
        while end < len(encoded) and encoded[end] & 0xC0 == 0x80:
            end -= 1
        words.append(f"=?utf-8?b?{binascii.b2a_base64(encoded[start:end], newline=False).decode()}?=")
        start = end
    return "\r\n ".join(words)


def _folded(line: str) -> str:
    if len(line) <= LINE:
        return line
    lines, here = [], ""
    for word in line.split(" "):
        if here and len(here) + 1 + len(word) > LINE:
            lines.append(here)
            here = f" {word}"
        else:
            here = f"{here} {word}" if here else word
    return "\r\n".join([*lines, here])
