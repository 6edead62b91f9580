"""Events from outside."""

from typing import Any

from notifications import bell
from notifications.models import Event
from tests.api.conftest import event


def test_an_event_over_the_api_lights_the_bell(program: Any, alice: Any, bob: Any, fan_out: Any) -> None:
    said = program.post("events/", event(actor=alice.pk))

    assert said.status_code == 202, said.content
    fan_out()
    assert bell.of(bob).get().event_id == said.json()["id"]


def test_a_program_without_the_scope_may_not_emit(key_with: Any, bob: Any) -> None:
    said = key_with("events.read").post("events/", event())

    assert said.status_code == 403
    assert "events.write" in said.json()["detail"]
    assert not Event.objects.exists()
