"""Mail over a real SMTP server: what it looks like, and what each of the server's answers means."""

import re
from collections.abc import Iterator

import pytest

from notifications import delivering, events, fanout, types
from notifications.channels import CARRIER
from notifications.models import Delivery, DeliveryStatus
from tests.smtp_sink import Sink

SMTP = "django.core.mail.backends.smtp.EmailBackend"


@pytest.fixture
def sink() -> Iterator[Sink]:
    server = Sink().start()
    yield server
    server.stop()


@pytest.fixture
def posting(sink, settings, db):
    """Fan out and send over the sink, as often as called."""
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", sink.port
    settings.EMAIL_TIMEOUT = 2

    def run():
        fanout.run_due()
        delivering.run_due(CARRIER["email"])
        return sink.mails

    return run


def moved(alice, *people, **data):
    kind = types.TYPES["deals.stage_changed"]
    return events.emit(kind, audience=list(people), by=alice, data=dict(kind.example) | data)


def due_again(**facts):
    """As if the back-off were over."""
    Delivery.objects.filter(status=DeliveryStatus.DUE).update(due_at="2020-01-01T00:00:00Z", **facts)


def test_a_mail_has_both_parts_and_its_headers(alice, bob, posting):
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
    assert "deals.stage-changed.1001.127.0.0.1" in mail["List-Id"]
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert re.fullmatch(r"<http://127\.0\.0\.1:8000/u/one-click/\S+/>", str(mail["List-Unsubscribe"]))
    assert mail["Date"]
    assert mail.get_content_type() == "multipart/alternative"
    text, page = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    for part in (text, page):
        assert "Nordic Oak" in part
        assert f"/1001/notifications/{event.pk}/why/" in part
        assert "/u/" in part
        assert "/u/one-click/" not in part
        assert "/1001/settings/notifications/email/" in part
    assert str(mail["Subject"]) in text
    assert all(len(line) <= 72 or " " not in line for line in text.splitlines())
    assert not mail.defects


