"""A mail server of our own for tests of mail."""

from collections.abc import Callable, Iterator

import pytest
from pytest_django import Settings

from notifications import delivering, fanout
from notifications.channels import CARRIER
from notifications.mail.connections import SMTP
from tests.smtp_sink import Received, Sink


@pytest.fixture
def sink(settings: Settings) -> Iterator[Sink]:
    """The mail server that the settings name."""
    server = Sink().start()
    settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT = SMTP, "127.0.0.1", server.port
    settings.EMAIL_TIMEOUT = 2
    yield server
    server.stop()


@pytest.fixture
def posting(sink: Sink, db: None) -> Callable[[], list[Received]]:
    """Tell everybody, send over the mail server, and return all that ever arrived there."""

    def run() -> list[Received]:
        fanout.run_due()
        delivering.run_due(CARRIER["email"])
        return sink.mails

    return run
