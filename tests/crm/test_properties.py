"""What people and programs write, and what is kept of it."""

import datetime as dt
import zoneinfo

import pytest

from crm import mail_addresses, properties
from crm.kinds import Property, Type

STOCKHOLM = zoneinfo.ZoneInfo("Europe/Stockholm")
CHOICE = Property("p", "P", Type.CHOICE, choices=(("low", "Low"), ("high", "High")))


def read(type_, raw, **more):
    return properties.parsed(
        CHOICE if type_ == "choice" else Property("p", "P", Type(type_), **more), raw, zone=STOCKHOLM
    )


@pytest.mark.parametrize(
    ("type_", "raw", "kept"),
    [
        ("text", "  two\n words ", "two words"),
        ("text", "", None),
        ("text", "   ", None),
        ("long_text", "two\nlines", "two\nlines"),
        ("number", "12.50", 12.5),
        ("number", 3.0, 3),
        ("number", "1e3", 1000),
        ("number", 0, 0),
        ("date", "2026-02-28", "2026-02-28"),
        ("date", dt.date(2026, 2, 28), "2026-02-28"),
        ("datetime", "2026-07-01 14:30", dt.datetime(2026, 7, 1, 12, 30, tzinfo=dt.UTC)),
        ("datetime", "2026-07-01T14:30:00+00:00", dt.datetime(2026, 7, 1, 14, 30, tzinfo=dt.UTC)),
        ("datetime", "2026-12-01", dt.datetime(2026, 12, 1, 8, 0, tzinfo=dt.UTC)),
        ("email", " Ann@EXAMPLE.com", "ann@example.com"),
        ("phone", "+46 8  123 45 67", "+46 8 123 45 67"),
        ("url", "example.com/a", "https://example.com/a"),
        ("choice", "high", "high"),
        ("choice", "High", "high"),
        ("user", "12", 12),
        ("boolean", "yes", True),
        ("boolean", False, False),
        ("boolean", None, None),
    ],
)
def test_what_is_kept(type_, raw, kept):
    value = read(type_, raw)

    assert value == kept
    assert type(value) is type(kept)


@pytest.mark.parametrize(
    ("type_", "raw"),
    [
        ("text", 5),
        ("text", ["a"]),
        ("text", "nul\0"),
        ("text", "half\ud800"),
        ("text", "x" * 1001),
        ("number", True),
        ("number", "ten"),
        ("number", float("inf")),
        ("number", 10**15),
        ("number", {}),
        ("date", "2026-02-30"),
        ("date", "soon"),
        ("date", 5),
        ("datetime", "2026-02-30 10:00"),
        ("datetime", "0001-01-01"),
        ("datetime", "25:00"),
        ("email", "ann"),
        ("email", "ann@localhost"),
        ("phone", "--"),
        ("url", "javascript:alert(1)"),
        ("url", "https://me:secret@example.com"),
        ("url", "https://[x"),
        ("choice", "sky-high"),
        ("user", -1),
        ("user", True),
        ("user", "٣"),
        ("user", 2**63),
        ("boolean", "perhaps"),
    ],
)
def test_what_is_refused_with_a_sentence(type_, raw):
    with pytest.raises(ValueError, match=r"\w"):
        read(type_, raw)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("Ann.Lee+news@Example.COM", "ann.lee+news@example.com"),
        ("ann@bücher.example", "ann@xn--bcher-kva.example"),
        ("ann@BÜCHER.example", "ann@xn--bcher-kva.example"),
        ("ann@xn--bcher-kva.example", "ann@xn--bcher-kva.example"),
        ("e\u0301ve@example.com", "\u00e9ve@example.com"),
        ("o'neil@example.com", "o'neil@example.com"),
    ],
)
def test_an_address_has_one_form(given, kept):
    assert mail_addresses.normalised(given) == kept
    assert mail_addresses.normalised(kept) == kept


@pytest.mark.parametrize(
    "given",
    ["", "@", "ann", "ann@", "@example.com", "a b@example.com", "ann@exa mple.com", "ann@-x.example", "ann@\u200b.com",
     "ann@example", "a@b@example.com", f"{'a' * 320}@example.com", "ann@example.com\nbcc: bob@example.com"],
)  # fmt: skip
def test_what_is_no_address(given):
    with pytest.raises(ValueError, match=r"\w"):
        mail_addresses.normalised(given)
