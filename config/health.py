"""Whether this process can do its work."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from notifications import canary


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """For load balancers: 200 with the database there, else 503. Redis is named but not needed: it is only a hint."""
    database, hints = _database_answers(), _redis_answers()
    return JsonResponse({"database": database, "redis": hints}, status=200 if database else 503)


@never_cache
@require_safe
def workers(request: HttpRequest) -> JsonResponse:
    """For whoever watches: 200 while a worker was at work within the last minute, else 503 with a sentence.

    Nothing to restart web processes by: they can do their work when workers cannot.
    """
    try:
        silent = canary.seconds_silent()
    except DatabaseError:
        return _answer(None, _("The database does not answer."))
    if silent is None:
        return _answer(None, _("No worker has ever been at work. Start worker and beat."))
    if silent > settings.WORKERS_SILENT_SECONDS:
        words = _("No worker has been at work for %(seconds)d seconds. Look at worker, beat and the broker.")
        return _answer(silent, words % {"seconds": silent})
    return _answer(silent, "")


def _answer(silent: int | None, words: str) -> JsonResponse:
    found = {"workers": not words, "silent_seconds": silent, "detail": words}
    return JsonResponse(found, status=503 if words else 200)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        return bool(client.ping())
    except redis.RedisError:
        return False
    finally:
        client.close()
