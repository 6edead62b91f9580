import pytest
from django.test import Client


@pytest.mark.django_db
def test_the_health_page_says_that_database_and_redis_answer(client: Client) -> None:
    answer = client.get("/healthz/")

    assert answer.status_code == 200
    assert answer.json() == {"database": True, "redis": True}
