"""The application as people install it on a phone or a computer (N-037): its manifest, and what it shows offline.

Nothing here belongs to an account: the manifest and the offline page are the same for everybody who reads that
language, and the service worker keeps nothing else.
"""

import hashlib
from functools import lru_cache
from typing import Any

import orjson
from django.conf import settings
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

GROUND = "#f5f7f6"  # --canvas of tokens.css, in light: what shows while it starts
BAR = "#ffffff"  # --surface of tokens.css, in light: the bar above it; pages say theirs, light and dark
OFFLINE_FILES = (  # what the offline page is drawn with
    "css/tokens.css",
    "css/base.css",
    "css/forms.css",
    "css/components.css",
    "css/shell.css",
    "css/overlays.css",
    "js/elements/flash-messages.js",
    "js/elements/offline-page.js",
    "img/mark.svg",
    "img/favicon.svg",
)


def manifest() -> dict[str, Any]:
    """The web app manifest (W3C), in the language in use."""
    return {
        "id": "/",
        "name": "Bellhop",
        "short_name": "Bellhop",
        "description": _("Hear what happens in your account, on your phone too."),
        "lang": translation.get_language() or "en",
        "dir": "rtl" if translation.get_language_bidi() else "ltr",
        "scope": "/",
        "start_url": "/",
        "display": "standalone",
        "background_color": GROUND,
        "theme_color": BAR,
        "categories": ["business", "productivity"],
        "icons": [
            *(_icon(f"icon-{side}.png", side, "any") for side in (192, 512)),
            *(_icon(f"maskable-{side}.png", side, "maskable") for side in (192, 512)),
        ],
        "shortcuts": [
            _shortcut(_("Notifications"), "notifications"),
            _shortcut(_("Notifications on this phone"), "settings"),
        ],
    }


def _icon(name: str, side: int, purpose: str) -> dict[str, str]:
    return {"src": static(f"img/app/{name}"), "sizes": f"{side}x{side}", "type": "image/png", "purpose": purpose}


def _shortcut(name: str, to: str) -> dict[str, Any]:
    url = reverse("notifications:app-way", kwargs={"to": to})
    return {"name": name, "url": url, "icons": [_icon("icon-192.png", 192, "any")]}


def offline_page() -> str:
    """What shows where no page can be fetched. Rendered for nobody: it must not hold what is somebody's."""
    return render_to_string("notifications/offline.html")


def worker_script() -> bytes:
    """The service worker, told what to keep. Its bytes change when that does, so browsers fetch it anew."""
    script = (settings.BASE_DIR / "static" / "js" / "sw.js").read_bytes()
    return b"const SHELL = " + orjson.dumps(_shell()) + b";\n" + script


@lru_cache(maxsize=1)
def _shell() -> dict[str, Any]:
    """The offline page, its files, the picture on notifications, and a version that changes with any of them."""
    files = [static(name) for name in OFFLINE_FILES]
    with translation.override("en"):
        version = hashlib.sha256("\n".join([offline_page(), *files]).encode()).hexdigest()[:12]
    return {
        "version": version,
        "page": reverse("notifications:offline"),
        "files": files,
        "badge": static("img/app/badge-96.png"),
    }
