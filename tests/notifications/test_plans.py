"""What the plans have and have not to do with notifications."""

import pytest
from django.urls import reverse

from accounts.plans import Plan
from notifications import bell, events, types


@pytest.mark.req("N-002")
@pytest.mark.parametrize("plan", Plan)
def test_notifications_and_their_settings_exist_on_every_plan(client, account, alice, bob, fan_out, plan):
    account.plan = plan
    account.save()
    events.emit(types.deals.STAGE_CHANGED, audience=[bob], by=alice, data=types.deals.STAGE_CHANGED.example)
    fan_out()
    client.force_login(bob.user)

    assert bell.of(bob).count() == 1
    for page in ("list", "settings-email", "settings-desktop"):
        assert client.get(reverse(f"notifications:{page}", args=[account.hub_id])).status_code == 200
