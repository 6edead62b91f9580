"""Putting something one place up or down, with the focus where it was: what the buttons of all lists have in common."""

from collections.abc import Callable
from urllib.parse import urlencode

from django.http import HttpResponse, HttpResponseRedirect

from accounts.errors import DomainError
from crm.views.doors import Place, refused

LONGEST = 4  # digits of a place


def move(place: Place, pk: int, put: Callable[[int], object], *, back: str) -> HttpResponse:
    """Put it where the button says ("up.3": up, to the place three), and back to the list with the focus on it."""
    way, _dot, to = place.request.POST.get("to", "").partition(".")
    if to.isascii() and to.isdigit() and len(to) <= LONGEST:
        try:
            put(int(to))
        except DomainError as error:
            refused(place.request, error)
    moved = f"{pk}.{'up' if way == 'up' else 'down'}"
    return HttpResponseRedirect(f"{back}?{urlencode({'moved': moved})}")
