"""The environment, read with django-environ and refused loudly where it is wrong."""

import base64
import binascii
import contextlib
import json
import os
import re
import warnings
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from django.core.exceptions import ImproperlyConfigured
from environ import Env

MODES = ("production", "local", "test")
SECRET_KEY_LENGTH = 50
SEALING_KEY_LENGTH = 32
NOWHERE = "postgres://bellhop@%2Fnonexistent/bellhop"  # what a static check may name but never reaches


class Environment:
    """What the environment says. Each method answers one question or raises ImproperlyConfigured, one sentence."""

    def __init__(self, base_dir: Path) -> None:
        self._env = Env()
        self.var_dir = Path(os.environ.get("VAR_DIR") or base_dir / "var").resolve()
        named = os.environ.get("BELLHOP_MODE", "")
        # SECRET_KEY in the environment means a deployment: a file left over in var/ must not turn it into `local`.
        if named == "local" or not (named or os.environ.get("SECRET_KEY")):
            self._env.read_env(self.var_dir / "local.env")
        self.mode = os.environ.get("BELLHOP_MODE") or "production"
        if self.mode not in MODES:
            raise ImproperlyConfigured(f"BELLHOP_MODE is “{self.mode}”; it can be {', '.join(MODES)}.")

    def is_given(self, name: str) -> bool:
        """Whether the variable is there and not empty."""
        return bool(os.environ.get(name))

    def text(self, name: str, *, default: str) -> str:
        """The variable, or the default where it is missing or empty."""
        return os.environ.get(name) or default

    def file(self, name: str) -> str:
        """The path of a file that can be read, or nothing where none is given."""
        given = os.environ.get(name, "").strip()
        if given and not os.access(given, os.R_OK):
            raise ImproperlyConfigured(f"{name} is “{given}”, which is no file that can be read.")
        return given

    def names(self, name: str) -> list[str]:
        """A list, written with commas."""
        return [part.strip() for part in os.environ.get(name, "").split(",") if part.strip()]

    def flag(self, name: str, *, default: bool) -> bool:
        """A yes or no."""
        given = os.environ.get(name, "").strip().lower()
        if given in {"", "true", "yes", "on", "1", "false", "no", "off", "0"}:
            return given in {"true", "yes", "on", "1"} if given else default
        raise ImproperlyConfigured(f"{name} is “{given}”; it can be true or false.")

    def number(self, name: str, *, default: int) -> int:
        """A whole number, zero or more."""
        given = os.environ.get(name, "").strip()
        if not given:
            return default
        if not given.isdecimal():
            raise ImproperlyConfigured(f"{name} is “{given}”; it must be a whole number, zero or more.")
        return int(given)

    def secret_key(self) -> str:
        """The key that signs sessions and links. Production takes no short one."""
        self._refuse_what_is_missing()
        key = os.environ.get("SECRET_KEY") or "only-for-tests-" * 4
        if self.mode == "production" and (len(key) < SECRET_KEY_LENGTH or len(set(key)) < 5):
            raise ImproperlyConfigured(
                f"SECRET_KEY is too weak: it needs at least {SECRET_KEY_LENGTH} random characters "
                "(python -c 'import secrets; print(secrets.token_urlsafe(50))')."
            )
        return key

    def sealing_keys(self) -> list[str]:
        """The keys that seal other services' secrets, newest first. None given: SECRET_KEY seals."""
        keys = self.names("SEALING_KEYS")
        if any(len(key) < SEALING_KEY_LENGTH for key in keys):
            raise ImproperlyConfigured(f"Each of SEALING_KEYS needs at least {SEALING_KEY_LENGTH} random characters.")
        return keys

    def base_url(self) -> str:
        """Where people reach us, without a slash at the end. Production is https."""
        given = self.text("BASE_URL", default="http://127.0.0.1:8000").rstrip("/")
        parts = urlsplit(given)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path:
            raise ImproperlyConfigured(f"BASE_URL is “{given}”; it must look like https://bellhop.example.com.")
        if self.mode == "production" and parts.scheme != "https":
            raise ImproperlyConfigured(f"BASE_URL is “{given}”; in production it must begin with https://.")
        return given

    def database(self) -> dict[str, Any]:
        """Django's settings of the database. A unix socket is written as the host, with %2F for each slash."""
        url = self.text("DATABASE_URL", default=NOWHERE)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = dict(self._env.db_url_config(url) or {})
        if found.get("ENGINE") != "django.db.backends.postgresql" or not found.get("NAME"):
            raise ImproperlyConfigured(
                "DATABASE_URL must name a PostgreSQL database, like postgres://user:password@host:5432/name."
            )
        found["HOST"] = unquote(str(found["HOST"]))
        options = {"connect_timeout": 5, **found.get("OPTIONS", {})}
        if self.flag("DATABASE_POOL", default=False):  # web processes: many short requests in many threads
            size = self.number("DATABASE_POOL_SIZE", default=10)
            options["pool"] = {"min_size": min(2, size), "max_size": size, "timeout": 10}
        else:
            found["CONN_MAX_AGE"] = 60
        run = self.text("BELLHOP_TEST_RUN", default=str(os.getpid()))
        return found | {
            "OPTIONS": options,
            "CONN_HEALTH_CHECKS": True,
            "TEST": {"NAME": f"test_{found['NAME']}_{run}"},
        }

    def redis_url(self) -> str:
        """Where Redis listens: redis://, rediss:// or unix://."""
        url = self.text("REDIS_URL", default="unix:///nonexistent/redis.sock?db=0")
        if urlsplit(url).scheme not in {"redis", "rediss", "unix"}:
            raise ImproperlyConfigured("REDIS_URL must look like redis://host:6379/0 or unix:///path/redis.sock?db=0.")
        return url

    def broker_url(self, redis_url: str) -> str:
        """Celery's broker: BROKER_URL, or else the Redis we have anyway."""
        url = self.text("BROKER_URL", default=redis_url)
        parts = urlsplit(url)
        if parts.scheme == "unix":
            database = dict(pair.partition("=")[::2] for pair in parts.query.split("&")).get("db", "0")
            return f"redis+socket://{parts.path}?virtual_host={database}"
        if parts.scheme not in {"redis", "rediss", "redis+socket", "amqp", "amqps"}:
            raise ImproperlyConfigured("BROKER_URL must begin with redis://, rediss://, unix://, amqp:// or amqps://.")
        return url

    def broker_options(self, broker_url: str, *, prefix: str) -> dict[str, Any]:
        """Short timeouts: a broker that is down must not hold a request for more than about a second."""
        if broker_url.startswith("amqp"):
            return {"read_timeout": 1, "write_timeout": 1, "max_retries": 0}
        return {
            "socket_timeout": 1,
            "socket_connect_timeout": 1,
            "max_retries": 0,
            "visibility_timeout": 300,
            "global_keyprefix": f"{prefix}broker:",
        }

    def mail(self) -> dict[str, Any]:
        """Django's EMAIL_… settings from EMAIL_URL; without one, the outbox at /sandbox/."""
        url = os.environ.get("EMAIL_URL")
        if not url:
            return {"EMAIL_BACKEND": "notifications.sandbox.SandboxBackend"}
        try:
            found = dict(self._env.email_url_config(url))
        except (ImproperlyConfigured, ValueError):
            found = {}
        if not found.get("EMAIL_HOST"):
            raise ImproperlyConfigured("EMAIL_URL must look like smtp+tls://user:password@mail.example.com:587.")
        return found

    def service(self, name: str, *, default: str) -> str:
        """The address of another service. Only https, but for tests on this machine."""
        given = os.environ.get(name, "").strip() or default
        parts = urlsplit(given)
        if given and not (parts.hostname and parts.scheme in ("https", "http")[: 1 + (self.mode != "production")]):
            raise ImproperlyConfigured(f"{name} is “{given}”; it must begin with https://.")
        return given

    def vapid_key(self) -> str:
        """The private key of web push (RFC 8292), or nothing. `up` keeps one of its own in var/vapid.key."""
        key = os.environ.get("VAPID_PRIVATE_KEY", "").strip()
        if not key and self.mode == "local":
            with contextlib.suppress(OSError):
                key = (self.var_dir / "vapid.key").read_text().strip()
        try:
            is_key = len(base64.b64decode(key + "=" * (-len(key) % 4), altchars=b"-_", validate=True)) == 32
        except (ValueError, binascii.Error):
            is_key = False
        if key and not is_key:
            raise ImproperlyConfigured(
                "VAPID_PRIVATE_KEY must be 32 bytes in base64url: python manage.py vapidkey makes one."
            )
        return key

    def vapid_subject(self, base_url: str) -> str:
        """Whom a push service can write to about our pushes: mailto: or https://."""
        given = os.environ.get("VAPID_SUBJECT", "").strip()
        if given and not re.fullmatch(r"mailto:[^@\s]+@[\w.-]+|https://[\w-]+(\.[\w-]+)+", given, re.ASCII):
            raise ImproperlyConfigured(f"VAPID_SUBJECT is “{given}”; it must look like mailto:you@example.com.")
        if not given and self.mode == "production" and self.is_given("VAPID_PRIVATE_KEY"):
            raise ImproperlyConfigured("VAPID_PRIVATE_KEY needs VAPID_SUBJECT beside it, like mailto:you@example.com.")
        return given or ("" if self.mode == "production" else f"mailto:bellhop@{urlsplit(base_url).hostname}")

    def fcm_credentials(self) -> dict[str, str]:
        """The service account of Firebase Cloud Messaging: its JSON, or the path of the file; empty: none."""
        given = self._text_or_file("FCM_CREDENTIALS", begins="{")
        if not given:
            return {}
        try:
            found = json.loads(given)
            load_pem_private_key(found["private_key"].encode(), None)
        except (ValueError, TypeError, KeyError, AttributeError, UnsupportedAlgorithm):
            found = {}
        needed = ("project_id", "client_email", "private_key", "token_uri")
        if not (isinstance(found, dict) and all(isinstance(found.get(name), str) and found[name] for name in needed)):
            raise ImproperlyConfigured(
                "FCM_CREDENTIALS must be the JSON of a Google service account, or the path of its file: "
                f"it has {', '.join(needed)}."
            )
        return {str(name): str(value) for name, value in found.items()}

    def apns(self) -> dict[str, str]:
        """Key, its id, team and topic for Apple's service: all of them or none."""
        found = {
            "APNS_KEY": self._text_or_file("APNS_KEY", begins="-----"),
            **{name: os.environ.get(name, "").strip() for name in ("APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC")},
        }
        if not any(found.values()):
            return found
        if missing := [name for name, value in found.items() if not value]:
            raise ImproperlyConfigured(f"Sending to iPhone apps needs {', '.join(missing)} too, or none of APNS_….")
        try:
            key = load_pem_private_key(found["APNS_KEY"].encode(), None)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            key = None
        if not isinstance(key, EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ImproperlyConfigured("APNS_KEY must be the .p8 file that Apple gave out (its text or its path).")
        for name in ("APNS_KEY_ID", "APNS_TEAM_ID"):
            if not re.fullmatch(r"[A-Z0-9]{10}", found[name]):
                raise ImproperlyConfigured(f"{name} is “{found[name]}”; it has ten capital letters and digits.")
        if not re.fullmatch(r"[A-Za-z0-9.-]{3,200}", found["APNS_TOPIC"]):
            raise ImproperlyConfigured("APNS_TOPIC must be the bundle id of the application, like com.example.bellhop.")
        return found

    def service_url(self, name: str, *, default: str) -> str:
        """Where a service of others is, without a slash at the end. Only tests and relays need another one."""
        given = self.text(name, default=default).rstrip("/")
        parts = urlsplit(given)
        is_here = parts.hostname in {"127.0.0.1", "localhost"} and self.mode != "production"
        if not parts.hostname or parts.query or not (parts.scheme == "https" or (parts.scheme == "http" and is_here)):
            raise ImproperlyConfigured(f"{name} is “{given}”; it must begin with https://, like {default}.")
        return given

    def _text_or_file(self, name: str, *, begins: str) -> str:
        """A long secret, given as it is or as the path of a file that holds it."""
        given = os.environ.get(name, "").strip()
        if not given or given.startswith(begins):
            return given if begins == "{" else given.replace("\\n", "\n")  # lines, where one line was all there was
        try:
            return Path(given).read_text().strip()
        except (OSError, ValueError):
            raise ImproperlyConfigured(f"{name} names a file that cannot be read.") from None

    def _refuse_what_is_missing(self) -> None:
        if self.mode == "test":
            return
        needed = ["SECRET_KEY", "DATABASE_URL", "REDIS_URL"]
        if self.mode == "production":
            needed += ["EMAIL_URL", "BASE_URL"]
        missing = [name for name in needed if not self.is_given(name)]
        if not missing:
            return
        if self.mode == "local":
            raise ImproperlyConfigured("Bellhop is not running here yet. Start it with: make run")
        raise ImproperlyConfigured(
            f"Production needs {', '.join(missing)} in the environment (docs/DEPLOY.md says what goes there). "
            "To try Bellhop on this machine: make run"
        )
