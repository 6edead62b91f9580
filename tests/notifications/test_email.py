"""What a mail looks like when it arrives at a real server."""

import re

import pytest

from notifications import events, types
from notifications.channels.base import Parcel
from notifications.mail.headers import one_line
from notifications.mail.writing import write
from notifications.rendering import Line, Message, Section
from tests.smtp_sink import Received

MOVED = types.TYPES["deals.stage_changed"]


def moved(alice, *people, **data):
    return events.emit(MOVED, audience=list(people), by=alice, data=dict(MOVED.example) | data)


def parcel(**facts):
    message = {
        "title": "Title",
        "body": "",
        "url": "https://x.example/",
        "topic": "Deals",
        "label": "Label",
        "sections": (),
    }
    words = {name: facts.pop(name) for name in list(facts) if name in message}
    given = {
        "delivery_id": 1,
        "event_id": 7,
        "member_id": 9,
        "type_key": MOVED.key,
        "name": "Bob",
        "email": "bob@example.com",
        "hub_id": 1001,
        "account_name": "Nordic Oak",
        "language": "en",
        "message": Message(**message | words),
    }
    return Parcel(**given | facts)


def written(**facts):
    letter = write(parcel(**facts))
    return Received(letter.sender, [letter.to], letter.raw).mail


def parts(mail):
    return [mail.get_body((kind,)).get_content() for kind in ("plain", "html")]


def test_a_mail_arrives_with_both_parts_and_its_headers(alice, bob, posting):
    event = moved(alice, bob)
    (received,) = posting()
    mail = received.mail

    assert received.to == [bob.email]
    assert received.sender == "bellhop@127.0.0.1"
    assert str(mail["To"]) == "Bob <bob@example.com>"
    assert str(mail["From"]) == "Nordic Oak via Bellhop <bellhop@127.0.0.1>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert mail["Message-ID"] == f"<n.{event.pk}.{bob.pk}@127.0.0.1>"
    assert "<deals.stage-changed.1001.127.0.0.1>" in mail["List-Id"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/u/one-click/\S+/>", str(mail["List-Unsubscribe"]))
    assert mail["Date"].endswith(" +0000")
    assert mail["Content-Language"] == "en"
    assert mail.get_content_type() == "multipart/alternative"
    assert not mail.defects
    for part in parts(mail):
        assert "Nordic Oak" in part
        assert f"/1001/notifications/{event.pk}/why/" in part
        assert "/u/" in part
        assert "/u/one-click/" not in part  # what a person opens and what a program posts are different keys
        assert "/1001/settings/notifications/email/" in part


def test_the_addresses_in_a_mail_lead_to_pages():
    from django.urls import resolve

    from notifications.mail import links

    reader = links.Reader(9, MOVED.key)
    found = [links.why(1001, 7), links.preferences(1001), links.unsubscribe(reader), links.one_click(reader)]
    assert [resolve(url.removeprefix("http://127.0.0.1:8000")).view_name for url in found] == [
        "notifications:why",
        "notifications:settings-email",
        "notifications:unsubscribe",
        "notifications:unsubscribe-one-click",
    ]


def test_the_text_is_complete_and_wrapped():
    text, _page = parts(written(title="Word " * 40, body="First line\n\n" + "many words " * 30))

    assert "First line\n\nmany words" in text.replace("\r", "")
    assert all(len(line) <= 72 or " " not in line for line in text.splitlines())
    assert "https://x.example/" in text


def test_the_html_works_without_pictures_or_anything_from_outside():
    _text, page = parts(written(body="Body", url="https://x.example/?a=1&b=2"))

    assert "https://x.example/?a=1&amp;b=2" in page
    assert '<meta name="color-scheme" content="light dark">' in page
    assert not re.search(r"<img|<script|<link|src=|url\(|@import", page)
    assert len(page) < 20_000


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        'x" onmouseover="alert(1)',
        "line\r\nBcc: victim@example.com",
        "\ud800 lone",
        "nul\x00 and escape\x1b[31m",
        "\u202etxt.exe",
        "=?utf-8?q?already?=",
        "🎉 Straße, naïve, 日本語",
        "שלום עולם",
        "." * 300,
        "",
    ],
)
def test_whatever_a_name_or_title_holds_the_mail_stays_whole(text):
    mail = written(title=text, body=text, account_name=text, name=text, label=text)

    assert not mail.defects
    assert mail["Bcc"] is None
    assert [str(address.addr_spec) for address in mail["To"].addresses] == ["bob@example.com"]
    assert [str(address.addr_spec) for address in mail["From"].addresses] == ["bellhop@127.0.0.1"]
    assert str(mail["Subject"]) == one_line(text)
    _text, page = parts(mail)
    assert "<script>alert" not in page
    assert 'onmouseover="' not in page


def test_no_line_is_longer_than_smtp_allows_and_none_is_bare():
    raw = write(parcel(title="x" * 5000, body="y" * 5000, name="é" * 300, account_name="ø" * 300)).raw

    assert max(len(line) for line in raw.split(b"\r\n")) <= 998
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert raw.isascii()


def test_a_subject_is_one_line_of_at_most_200():
    subject = str(written(title="deal  moved \n" * 100)["Subject"])

    assert len(subject) <= 200
    assert subject.startswith("deal moved deal moved")
    assert subject.endswith("…")


def test_a_line_that_is_only_a_dot_arrives(alice, bob, posting):
    moved(alice, bob, deal="Ends here\n.\nor not")
    (received,) = posting()

    assert "or not" in str(received.mail["Subject"])
    assert all("or not" in part for part in parts(received.mail))


def test_a_mail_is_in_the_members_language(alice, bob, posting):
    bob.language = "sv"
    bob.save()
    moved(alice, bob)
    (received,) = posting()

    assert received.mail["Content-Language"] == "sv"
    assert '<html lang="sv"' in parts(received.mail)[1]


def test_a_mail_that_cannot_be_turned_off_says_so_and_offers_no_way():
    mail = written(may_turn_off=False)

    assert mail["List-Unsubscribe"] is None
    assert mail["List-Unsubscribe-Post"] is None
    for part in parts(mail):
        assert "/u/" not in part
        assert "cannot be turned off" in part


def test_a_link_that_is_no_web_address_leads_home():
    text, page = parts(written(url="javascript:alert(1)"))

    assert "javascript" not in text + page


@pytest.mark.parametrize("kind", types.TYPES.values(), ids=str)
def test_every_type_can_be_written(kind):
    from notifications import rendering

    for language in ("en", "de", "sv"):
        message = rendering.render(kind.key, kind.example, language=language)
        mail = written(**vars(message), type_key=kind.key, language=language)
        assert str(mail["Subject"]) == one_line(message.title)
        assert not mail.defects


def test_a_summary_lists_what_it_is_about_each_a_link():
    address = "https://bellhop.example/1001/notifications/7/open/?a=1&b=2"
    lines = (Line("Ann <moved> “Oak”", "", address), Line("No link", "", "javascript:alert(1)"))
    mail = written(title="Two", body="Deals 2", sections=(Section("Deals 2", lines),))
    plain, page = (text.replace("\r\n", "\n") for text in parts(mail))

    assert "Ann <moved> “Oak”" in plain
    assert address in plain
    assert "/open/?a=1&amp;b=2" in page
    assert "Ann &lt;moved&gt; “Oak”" in page
    assert "javascript" not in plain + page
