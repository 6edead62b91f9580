"""What a browser calls itself, in words a person knows."""

from django.utils.translation import gettext as _

# First match wins: most browsers also claim to be an older one.
BROWSERS = (
    ("Edg/", "Edge"),
    ("EdgA/", "Edge"),
    ("OPR/", "Opera"),
    ("SamsungBrowser/", "Samsung Internet"),
    ("Vivaldi/", "Vivaldi"),
    ("Firefox/", "Firefox"),
    ("FxiOS/", "Firefox"),
    ("CriOS/", "Chrome"),
    ("Chrome/", "Chrome"),
    ("Safari/", "Safari"),
    ("curl/", "curl"),
)
SYSTEMS = (
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Android", "Android"),
    ("Windows", "Windows"),
    ("CrOS", "ChromeOS"),
    ("Mac OS X", "Mac"),
    ("Linux", "Linux"),
)
POCKET = {"iPhone", "Android"}


def name_of(user_agent: str) -> str:
    """“Firefox on Linux”. Never empty, and never the raw string, which nobody can read."""
    browser = next((name for sign, name in BROWSERS if sign in user_agent), "")
    system = system_of(user_agent)
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or _("Unknown browser")


def is_phone(user_agent: str) -> bool:
    return system_of(user_agent) in POCKET


def system_of(user_agent: str) -> str:
    """“iPhone”, “Windows”; nothing where it is not known."""
    return next((name for sign, name in SYSTEMS if sign in user_agent), "")
