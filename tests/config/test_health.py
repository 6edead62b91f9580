from datetime import timedelta

import pytest
from django.db.models import F
from django.test import Client

from notifications import tasks
from notifications.models import Canary


@pytest.mark.django_db
def test_the_health_page_says_that_database_and_redis_answer(client: Client) -> None:
    answer = client.get("/healthz/")

    assert answer.status_code == 200
    assert answer.json() == {"database": True, "redis": True}


@pytest.mark.django_db
def test_workers_are_well_while_one_of_them_was_at_work_within_a_minute(client: Client) -> None:
    assert client.get("/healthz/workers/").json()["detail"] == "No worker has ever been at work. Start worker and beat."
    for _time in range(2):
        tasks.sing()
    well = client.get("/healthz/workers/")
    assert (well.status_code, well.json()["workers"]) == (200, True)

    Canary.objects.update(seen_at=F("seen_at") - timedelta(seconds=75))
    ill = client.get("/healthz/workers/")

    assert (ill.status_code, ill.json()["workers"], ill.json()["silent_seconds"]) == (503, False, 75)
    assert ill.json()["detail"].startswith("No worker has been at work for 75 seconds.")
    assert client.get("/healthz/").status_code == 200  # this process can do its work
