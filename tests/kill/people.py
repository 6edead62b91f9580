"""People signed in and keys made in a house of its own, through its own commands."""

from collections.abc import Mapping

from tests.house import manage

SIGN_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from accounts.models import User
for email in {people!r}:
    person = User.objects.get(email=email)
    session = import_module(settings.SESSION_ENGINE).SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    print("signed in", email, session.session_key)
"""


def signed_in(here: Mapping[str, str], people: list[str]) -> dict[str, str]:
    """A session for each, as the sign-in page makes it."""
    told = manage("shell", "-c", SIGN_IN.format(people=people), env=here).stdout
    return dict(line.split()[2:4] for line in told.splitlines() if line.startswith("signed in"))  # type: ignore[misc]


def key_in(told: str) -> str:
    """The API key in what the command printed."""
    return next(word for word in told.split() if word.startswith("bh_"))
