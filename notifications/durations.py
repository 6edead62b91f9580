"""How long something took, in words: exact where it is short, rough where it is long. Pure."""

from django.utils import formats
from django.utils.translation import gettext as _

STEPS = ((60, 1), (3600, 60), (48 * 3600, 3600), (float("inf"), 86400))  # below so many seconds: count in these


def words_of(seconds: float) -> str:
    """0.4 s, 12 s, 3 min, 2 h, 5 days."""
    unit = next(unit for below, unit in STEPS if seconds < below)
    digits = 1 if unit == 1 and seconds < 10 else 0
    number = formats.number_format(round(seconds / unit, digits), digits)
    return {1: _("%s s"), 60: _("%s min"), 3600: _("%s h"), 86400: _("%s days")}[unit] % number
