"""Settings. All that varies comes from the environment; what is wrong there is refused in one sentence.

BELLHOP_MODE says where we are: `production` (the default; refuses to start without its secrets), `local` (what
`manage.py up` starts; it writes var/local.env, so that commands in a second terminal find the running services)
or `test`.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from config.environment import Environment

BASE_DIR = Path(__file__).resolve().parent.parent
env = Environment(BASE_DIR)
MODE = env.mode
IS_PRODUCTION = MODE == "production"
VAR_DIR = env.var_dir

# --- Secrets and addresses

SECRET_KEY = env.secret_key()
DEBUG = MODE == "local" and env.flag("DEBUG", default=False)
BASE_URL = env.base_url()
_base = urlsplit(BASE_URL)
_hosts_here = [] if IS_PRODUCTION else ["localhost", "127.0.0.1", "[::1]", "testserver"]
ALLOWED_HOSTS = list(dict.fromkeys([_base.hostname or "", *env.names("ALLOWED_HOSTS"), *_hosts_here]))
CSRF_TRUSTED_ORIGINS = [f"{_base.scheme}://{_base.netloc}"]
TRUSTED_PROXIES = env.number("TRUSTED_PROXIES", default=1 if IS_PRODUCTION else 0)

# --- Applications

INSTALLED_APPS = [
    "config",
    "inbox",
    "crm",
    "subscriptions",
    "notifications",
    "accounts",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "channels",
    "csp",
    "django_celery_beat",
    "django_htmx",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "rest_framework",
    "config.admin.AdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "allauth.usersessions.middleware.UserSessionsMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "config.not_allowed.in_words",
]

ROOT_URLCONF = "config.urls"
ASGI_APPLICATION = "config.asgi.application"
WSGI_APPLICATION = "config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "accounts.context.shell",
            ],
        },
    },
]

# --- Database, cache, sessions

DATABASES = {"default": env.database()}
REDIS_URL = env.redis_url()
REDIS_PREFIX = env.text("REDIS_PREFIX", default="bellhop:")

CACHES = {
    "default": {
        "BACKEND": "config.cache.ForgivingRedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": f"{REDIS_PREFIX}cache",
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    },
}
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"
SESSION_COOKIE_NAME = "bellhop_session"
CSRF_COOKIE_NAME = "bellhop_csrf"

# --- Signing in: e-mail and password, a second factor for who wants it; people are invited, nobody signs up

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("UserAttributeSimilarityValidator", "MinimumLengthValidator", "CommonPasswordValidator")
]
if MODE == "test":  # people by the hundred, and no secrets
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_UNKNOWN_ACCOUNTS = False
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_EMAIL_NOTIFICATIONS = True  # a mail when the password or the second factor changes
ACCOUNT_RATE_LIMITS = {  # beside allauth's own; "5 wrong passwords per 5 minutes and address" is one of those
    "login": "30/m/ip",
    "login_failed": "10/m/ip,5/5m/key",
    "reset_password": "20/m/ip,5/m/key",
    "reauthenticate": "10/m/user",
}
ACCOUNT_DEFAULT_HTTP_PROTOCOL = _base.scheme
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes"]
MFA_TOTP_ISSUER = "Bellhop"
MFA_ALLOW_UNVERIFIED_EMAIL = True
GEOLITE_FILE = env.file("GEOLITE_FILE")  # names countries and cities in login alerts; without one networks stand in
USERSESSIONS_TRACK_ACTIVITY = False  # sessions are listed and revoked; a write per page view is not worth it
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES

# --- Language and time

LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("de", _("German")), ("sv", _("Swedish"))]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True

# --- Static files

STATIC_URL = "static/"
STATIC_ROOT = env.text("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")) if IS_PRODUCTION else None
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if IS_PRODUCTION
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}
WHITENOISE_USE_FINDERS = not IS_PRODUCTION
WHITENOISE_AUTOREFRESH = MODE == "local"

# --- Security

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "media-src": [SELF],
        # 'self' covers the socket in present browsers; older ones want its address spelled out.
        "connect-src": [SELF, f"{'wss' if _base.scheme == 'https' else 'ws'}://{_base.netloc}"],
        "manifest-src": [SELF],
        "worker-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
    },
}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_PRODUCTION
if IS_PRODUCTION:
    SECURE_SSL_REDIRECT = True
    SECURE_REDIRECT_EXEMPT = [r"^healthz/(workers/)?$"]  # a load balancer asks over plain HTTP
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000  # a grid of all types by all channels posts an answer for each cell
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024  # a batch of 500 events of 16 KB

# --- Sockets: each web process has one subscription, hints are not stored anywhere

CHANNEL_LAYERS = {
    "default": {
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": f"{REDIS_PREFIX}channels"},
    },
}

# --- Tasks: they only wake somebody sooner, so a broker that is down costs a request at most a second

CELERY_BROKER_URL = env.broker_url(REDIS_URL)
CELERY_BROKER_TRANSPORT_OPTIONS = env.broker_options(CELERY_BROKER_URL, prefix=REDIS_PREFIX)
CELERY_BROKER_CONNECTION_TIMEOUT = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_DEFAULT_QUEUE = "bellhop"
CELERY_TASK_SERIALIZER = CELERY_RESULT_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "django_celery_beat.schedulers:DatabaseScheduler"
CELERY_BEAT_SCHEDULE: dict[str, dict[str, Any]] = {
    "sweep": {"task": "notifications.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "canary": {"task": "notifications.tasks.sing", "schedule": 10.0, "options": {"expires": 60}},
    "records": {"task": "crm.tasks.sweep", "schedule": 5.0, "options": {"expires": 5}},
    "duplicates": {"task": "crm.tasks.report_duplicates", "schedule": 900.0, "options": {"expires": 900}},
    "digests": {"task": "crm.tasks.look_after_digests", "schedule": 3600.0, "options": {"expires": 3600}},
    "exports": {"task": "crm.tasks.erase_exports", "schedule": 3600.0, "options": {"expires": 3600}},
    "posts": {"task": "crm.tasks.forget_posts", "schedule": 3600.0, "options": {"expires": 3600}},
    "bin": {"task": "crm.tasks.empty_bin", "schedule": 3600.0, "options": {"expires": 3600}},
}
WORKERS_SILENT_SECONDS = max(1, env.number("WORKERS_SILENT_SECONDS", default=60))  # then /healthz/workers/ says so

# --- Mail: without EMAIL_URL everything goes to the sandbox outbox

IS_MAIL_SANDBOXED = not env.is_given("EMAIL_URL")
for _name, _value in env.mail().items():
    globals()[_name] = _value
EMAIL_TIMEOUT = 20
DELIVERY_CLAIM_SECONDS = env.number("DELIVERY_CLAIM_SECONDS", default=300)  # then a dead worker's mails go to another
EMAIL_CONNECTIONS = max(1, env.number("EMAIL_CONNECTIONS", default=4))  # kept open by each worker process
NOTIFICATION_DAILY_CAP = env.number("NOTIFICATION_DAILY_CAP", default=1000)  # mails per type, address and day
DEFAULT_FROM_EMAIL = SERVER_EMAIL = env.text("EMAIL_FROM", default=f"Bellhop <bellhop@{_base.hostname}>")

# --- Imports: how large a file may be

IMPORT_LARGEST_BYTES = max(1, env.number("IMPORT_LARGEST_MB", default=50)) * 2**20
IMPORT_MOST_ROWS = max(1, env.number("IMPORT_MOST_ROWS", default=250_000))
FILE_UPLOAD_HANDLERS = [
    "crm.uploads.BoundedUpload",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

# --- Other services: where members may send the server, and how what they entrust to us is kept

OUTGOING_LOOPBACK = not IS_PRODUCTION and env.flag("OUTGOING_LOOPBACK", default=False)  # this machine: for tests
SEALING_KEYS = env.sealing_keys()  # the first seals, all open; none: SECRET_KEY does it
EXPORT_DAYS = max(1, env.number("EXPORT_DAYS", default=30))  # then the file of an export is erased
WEBHOOK_LOG_DAYS = max(1, env.number("WEBHOOK_LOG_DAYS", default=30))  # each attempt is shown so long

# --- Other apps: where their services are. Slack needs an application of the installation's own.

SLACK_CLIENT_ID = env.text("SLACK_CLIENT_ID", default="")
SLACK_CLIENT_SECRET = env.text("SLACK_CLIENT_SECRET", default="")
SLACK_AUTHORIZE_URL = env.service("SLACK_AUTHORIZE_URL", default="https://slack.com/oauth/v2/authorize")
SLACK_API_URL = env.service("SLACK_API_URL", default="https://slack.com/api/")
DISCORD_URL = env.service("DISCORD_URL", default="https://discord.com")
GOOGLE_CHAT_URL = env.service("GOOGLE_CHAT_URL", default="https://chat.googleapis.com")
TELEGRAM_URL = env.service("TELEGRAM_URL", default="https://api.telegram.org")
NTFY_URL = env.service("NTFY_URL", default="https://ntfy.sh")
PUSHOVER_URL = env.service("PUSHOVER_URL", default="https://api.pushover.net")
TEAMS_URL = env.service("TEAMS_URL", default="")  # none: each address has its own

# --- Web push: without a key and somebody who answers for it the browser channel says that it is not available

VAPID_PRIVATE_KEY = env.vapid_key()
VAPID_SUBJECT = env.vapid_subject(BASE_URL)

# --- Native applications on phones: without credentials for a platform its devices say so and get nothing

FCM_CREDENTIALS = env.fcm_credentials()
FCM_URL = env.service_url("FCM_URL", default="https://fcm.googleapis.com")
APNS_KEY, APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC = env.apns().values()
APNS_URL = env.service_url("APNS_URL", default="https://api.push.apple.com")

# --- API

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_SCHEMA_CLASS": "accounts.api.schema.DoorSchema",
    "DEFAULT_RENDERER_CLASSES": ["accounts.api.json.OrjsonRenderer"],
    "DEFAULT_PARSER_CLASSES": ["accounts.api.json.OrjsonParser"],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "accounts.api.json.AlwaysFirst",
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "accounts.api.authentication.KeyAuthentication",
        "accounts.api.authentication.MemberAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "EXCEPTION_HANDLER": "accounts.api.problems.answer",
    "DEFAULT_THROTTLE_RATES": {  # requests per minute of each key, each member; batches count apart
        "key": env.number("API_REQUESTS_PER_KEY", default=6000),
        "member": env.number("API_REQUESTS_PER_MEMBER", default=1200),
        "batch": env.number("API_BATCHES_PER_KEY", default=600),
    },
    "NUM_PROXIES": TRUSTED_PROXIES,
}
SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "Bellhop API",
    "DESCRIPTION": "Events in, notifications and preferences out. Refusals are problems as RFC 9457 has them.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": [],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "PATH_CONVERTER_OVERRIDES": {"row": {"type": "integer", "minimum": 0, "maximum": 2**63 - 1}},
    "POSTPROCESSING_HOOKS": ["accounts.api.schema.without_marks", "accounts.api.schema.with_shared_problems"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",  # the headings; a browser is long at drawing all that is below them
        "persistAuthorization": False,
        "validatorUrl": None,
    },
}

# --- Logging: to stderr, quiet, no payloads and no secrets

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": env.text("LOG_LEVEL", default="WARNING").upper()},
    "loggers": {
        "django": {"handlers": ["stderr"], "level": "WARNING", "propagate": False},
        "apprise": {"level": "ERROR"},  # what went wrong is on the delivery's row, in better words
        "django.request": {"level": "ERROR"},  # a 404 is an answer, not news
        "django.security.DisallowedHost": {"level": "ERROR"},
        **{name: {"level": "WARNING"} for name in ("httpx", "httpcore", "hpack")},  # their INFO names device tokens
    },
}
