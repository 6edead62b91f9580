"""What the plans have and have not to do with notifications."""

import pytest
from django.urls import reverse

from accounts.plans import Plan
from notifications import bell, events, preferences, types
from notifications.models import AccountDefault, Lock
from notifications.resolution import Layer


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


@pytest.mark.req("N-003")
def test_after_leaving_enterprise_no_lock_or_default_holds_anybody(account, bob):
    kind = types.deals.STAGE_CHANGED
    Lock.objects.create(account=account, type=kind.key, channel="email", is_on=False, reason="Launch week")
    AccountDefault.objects.create(account=account, type=kind.key, chosen=1, on=0)
    account.plan = Plan.STARTER
    account.save()
    bob.refresh_from_db()

    cells = preferences.standing(bob).cells(kind)

    assert {cell.layer for cell in cells} == {Layer.BUILT_IN}
    assert all(cell.lock is None for cell in cells)
