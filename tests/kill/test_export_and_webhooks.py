"""A worker dies while an export is written and changes are posted: the file is whole, and what was posted twice was in
flight and has the same id."""

import csv
import io
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from crm.webhooks.carrying import IN_A_TURN
from tests.house import House, environment, manage, wait_for
from tests.kill.killing import kill, rows
from tests.other_apps import OtherApps

pytestmark = pytest.mark.kill

MANY = 300
PREPARE = """
from accounts.models import Account
from crm import exporting, records, schema
from crm.models import Webhook
from crm.webhooks import registering
account = Account.objects.get(hub_id=1001)
admin = account.members.filter(role="super_admin").select_related("user", "account").first()
registering.register(account, url="{url}/hook", kinds=["leads"], by=admin)
exporting.start(account, schema.kind_of(account, "contacts"), by=admin)
for number in range({many}):
    records.create(account, "leads", {{"name": f"Lead {{number}}"}}, by=None)
"""


@pytest.fixture
def apps() -> Iterator[OtherApps]:
    server = OtherApps().start()
    yield server
    server.stop()


@pytest.mark.req("N-131")
def test_a_worker_that_dies_loses_nothing(house: House, apps: OtherApps) -> None:
    house.start(OUTGOING_LOOPBACK="true")
    apps.answer(200, times=MANY, after=0.2)
    given = environment(VAR_DIR=str(house.var), OUTGOING_LOOPBACK="true")
    in_flight = 0
    with ThreadPoolExecutor() as aside:
        making = aside.submit(manage, "shell", "-v0", "-c", PREPARE.format(url=apps.url, many=MANY), env=given)
        for _death in range(2):
            seen = len(apps.posts)
            wait_for(lambda seen=seen: len(apps.posts) > seen + 5, "something is posted")  # type: ignore[misc]
            kill(house, "worker")
            let_claims_run_out(house)
            in_flight += IN_A_TURN
        assert making.result().returncode == 0, making.result().stderr
    wait_for(lambda: is_over(house), "everything is posted and the export is ready", seconds=60)

    posted = Counter(post.headers["webhook-id"] for post in apps.posts)
    assert len(posted) == MANY
    assert sum(posted.values()) <= MANY + in_flight
    pieces = rows(house, "SELECT content FROM crm_exportpart ORDER BY number")
    lines = list(csv.DictReader(io.StringIO(b"".join(bytes(one) for (one,) in pieces).decode("utf-8-sig"), newline="")))
    ids = [int(line["Record ID"]) for line in lines]
    there = rows(
        house,
        "SELECT r.id FROM crm_record r JOIN accounts_account a ON a.id = r.account_id"
        " WHERE a.hub_id = 1001 AND r.kind = 'contacts' AND r.deleted_at IS NULL",
    )
    assert sorted(ids) == sorted(pk for (pk,) in there)


def let_claims_run_out(house: House) -> None:
    """What was in flight is claimed for two minutes, and so is its endpoint: nobody waits so long here."""
    rows(house, "UPDATE crm_webhookpost SET claimed_until = now() WHERE state = 'due' RETURNING 1")
    rows(house, "UPDATE crm_webhook SET again_at = now() RETURNING 1")


def is_over(house: House) -> bool:
    assert not house.has_ended, house.words()[-2000:]
    left = rows(
        house,
        "SELECT (SELECT count(*) FROM crm_happening) + (SELECT count(*) FROM crm_webhookpost WHERE state = 'due')"
        " + (SELECT count(*) FROM crm_export WHERE finished_at IS NULL)",
    )
    return left == [(0,)]
