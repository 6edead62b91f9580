"""The outbox of an installation without a mail server."""

import pytest
from django.core import mail
from django.core.mail import EmailMultiAlternatives, send_mail

from notifications import delivering, events, fanout, sandbox, types
from notifications.channels import CARRIER
from notifications.models import Delivery, SandboxMail

MOVED = types.TYPES["deals.stage_changed"]


@pytest.fixture(autouse=True)
def outbox(settings, db):
    settings.EMAIL_BACKEND = "notifications.sandbox.SandboxBackend"


@pytest.fixture
def kept(alice, bob):
    events.emit(MOVED, audience=[bob], by=alice, data=dict(MOVED.example) | {"deal": "<b>Harbour</b>"})
    fanout.run_due()
    delivering.run_due(CARRIER["email"])
    return SandboxMail.objects.get()


def test_the_settings_lead_here_without_a_mail_server(monkeypatch, tmp_path):
    from django.utils.module_loading import import_string

    from config.environment import Environment

    monkeypatch.delenv("EMAIL_URL", raising=False)
    named = Environment(tmp_path).mail()["EMAIL_BACKEND"]
    assert import_string(named) is sandbox.SandboxBackend


def test_a_notification_is_kept_as_it_would_have_gone_out(kept, bob):
    assert kept.sent_to == bob.email
    assert "Harbour" in kept.subject
    assert b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" in bytes(kept.raw)
    assert Delivery.objects.get().status == "sent"
    assert mail.outbox == []


def test_other_mails_of_ours_are_kept_too(client):
    send_mail("Reset your password", "Open https://x.example/reset", None, ["bob@example.com"])
    kept = SandboxMail.objects.get()

    page = client.get(f"/sandbox/{kept.pk}/").content.decode()
    assert '<a href="https://x.example/reset"' in page


def test_the_list_is_newest_first_and_pages_by_key(client):
    SandboxMail.objects.bulk_create([SandboxMail(sent_to="a@x.se", subject=f"Mail {i:02}", raw=b"") for i in range(60)])
    first = client.get("/sandbox/")
    subjects = [row.subject for row in first.context["page"].mails]
    assert subjects[0] == "Mail 59"
    assert len(subjects) == 25
    second = client.get(f"/sandbox/?before={first.context['page'].before}")
    third = client.get(f"/sandbox/?before={second.context['page'].before}")
    assert [row.subject for row in third.context["page"].mails][-1] == "Mail 00"
    assert third.context["page"].before is None


@pytest.mark.parametrize("before", ["x", "-1", "", "9" * 30, "²", "0"])
def test_an_odd_place_in_the_list_is_no_error(client, kept, before):
    assert client.get("/sandbox/", {"before": before}).status_code == 200


def test_an_empty_outbox_says_what_to_do(client):
    assert "No mails yet" in client.get("/sandbox/").content.decode()


def test_the_list_costs_few_queries_and_never_reads_the_mails(client, django_assert_max_num_queries):
    SandboxMail.objects.bulk_create([SandboxMail(sent_to="a@x.se", subject="Mail", raw=b"x" * 9999) for _ in range(30)])
    with django_assert_max_num_queries(2) as seen:
        client.get("/sandbox/")
    assert not any('"raw"' in query["sql"] for query in seen.captured_queries)


def test_the_html_is_shown_alone_in_a_sandboxed_frame(client, kept):
    page = client.get(f"/sandbox/{kept.pk}/")
    assert f'src="/sandbox/{kept.pk}/html/"' in page.content.decode()
    assert "frame-src 'self'" in page["Content-Security-Policy"]
    framed = client.get(f"/sandbox/{kept.pk}/html/")
    policy = framed["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "sandbox allow-popups" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    assert "&lt;b&gt;Harbour&lt;/b&gt;" in framed.content.decode()


def test_text_headers_and_the_whole_mail_can_be_read(client, kept):
    text = client.get(f"/sandbox/{kept.pk}/?part=text").content.decode()
    assert "Open in Bellhop" in text
    assert "&lt;b&gt;Harbour&lt;/b&gt;" in text
    assert "Auto-Submitted" in client.get(f"/sandbox/{kept.pk}/?part=headers").content.decode()
    whole = client.get(f"/sandbox/{kept.pk}/raw/")
    assert whole.content == bytes(kept.raw)
    assert whole["Content-Type"] == "message/rfc822"
    assert "attachment" in whole["Content-Disposition"]


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"no headers at all",
        b"Content-Type: text/plain; charset=klingon\r\n\r\n\xff\xfe",
        b"Content-Type: multipart/mixed; boundary=x\r\n\r\n",
        b"Subject: =?utf-8?b?broken\r\nMessage-ID: [\r\n\r\nx",
        b"Content-Type: text/html\r\nContent-Transfer-Encoding: base64\r\n\r\n!!!",
        b"\x00\x01\xff",
    ],
)
def test_a_mail_that_cannot_be_read_is_shown_anyway(client, raw):
    kept = SandboxMail.objects.create(sent_to="a@x.se", subject="Odd", raw=raw)
    for part in ("", "?part=text", "?part=headers"):
        assert client.get(f"/sandbox/{kept.pk}/{part}").status_code == 200
    assert client.get(f"/sandbox/{kept.pk}/html/").status_code in (200, 404)


def test_only_the_newest_are_kept():
    SandboxMail.objects.bulk_create([SandboxMail(sent_to="a@x.se", subject=str(i), raw=b"") for i in range(1010)])
    send_mail("the last", "x", None, ["a@x.se"])

    assert SandboxMail.objects.count() == 1000
    assert SandboxMail.objects.order_by("-pk")[0].subject == "the last"
    assert not SandboxMail.objects.filter(subject="10").exists()


def test_a_mail_with_attachments_and_several_recipients_is_kept():
    message = EmailMultiAlternatives("Sub\u00e9", "text", None, ["a@x.se", "b@x.se"], cc=["c@x.se"])
    message.attach("a.bin", b"\x00\xff", "application/octet-stream")
    assert message.send() == 1
    assert SandboxMail.objects.get().sent_to == "a@x.se, b@x.se, c@x.se"


@pytest.mark.parametrize("path", ["", "{pk}/", "{pk}/html/", "{pk}/raw/"])
def test_there_is_no_outbox_in_production_nor_with_a_mail_server_nor_from_elsewhere(client, kept, settings, path):
    url = f"/sandbox/{path.format(pk=kept.pk)}"
    assert client.get(url).status_code == 200
    assert client.post(url).status_code == 405
    assert client.get(url, REMOTE_ADDR="192.0.2.7").status_code == 404
    settings.IS_MAIL_SANDBOXED = False
    assert client.get(url).status_code == 404
    settings.IS_MAIL_SANDBOXED, settings.IS_PRODUCTION = True, True
    assert client.get(url).status_code == 404


def test_a_mail_that_is_not_there_is_a_404(client):
    assert client.get("/sandbox/4711/").status_code == 404
