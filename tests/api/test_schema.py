"""The description of the API is true: whatever is sent by it or against it gets a documented answer."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, settings
from schemathesis.config import ChecksConfig, GenerationConfig, SchemathesisConfig
from schemathesis.specs.openapi.checks import missing_required_header, positive_data_acceptance, use_after_free

from accounts import api_keys
from accounts.models import Team
from notifications import defaults, profiles
from notifications.defaults import Change
from notifications.resolution import Layer
from tests.api.conftest import event, with_key

EXAMPLES = 30
NOT_MEANT = [
    positive_data_acceptance,  # a shape that fits may still name a type or a member that there is not
    missing_required_header,
    use_after_free,
]

config = SchemathesisConfig()
config.projects.default.generation.update(deterministic=True, max_examples=EXAMPLES)
described = schemathesis.openapi.from_wsgi("/api/v1/schema/", get_wsgi_application(), config=config)


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Requests from outside Django's own test client would end the test's transaction when they finish."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def everything(account: Any, alice: Any, bob: Any, team: Team, fan_out: Any) -> str:
    """An account in which every kind of thing exists; returns a key with every scope."""
    program = with_key(account)
    assert program.post("events/", event(audience={"members": [bob.pk]}, actor=alice.pk)).status_code == 202
    fan_out()
    cell = ("deals.stage_changed", "email")
    profiles.create(account, name="Sales", team=team, by=alice)
    defaults.apply(account, Change(layer=Layer.DEFAULT, cells={cell: False}), by=alice)
    defaults.apply(account, Change(layer=Layer.LOCK, cells={cell: True}, reason="So it is."), by=alice)
    return program.headers["Authorization"]


@described.parametrize()
@settings(suppress_health_check=list(HealthCheck), deadline=None)
def test_every_answer_is_documented(case: Any, everything: str, one_connection: None) -> None:
    case.call_and_validate(headers={"Authorization": everything}, excluded_checks=NOT_MEANT)
