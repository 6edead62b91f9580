"""Settings refuse what is wrong, in one sentence, and production refuses to start without its secrets."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from django.core.exceptions import ImproperlyConfigured

from config.environment import Environment
from tests.house import environment, manage

PRODUCTION = {
    "BELLHOP_MODE": "production",
    "SECRET_KEY": "k3y-of-a-real-deployment-0123456789-abcdefghijklmnopqrstuvwxyz",
    "DATABASE_URL": "postgres://bellhop:secret@db.example.com/bellhop",
    "REDIS_URL": "redis://redis.example.com:6379/0",
    "EMAIL_URL": "smtp+tls://user:secret@mail.example.com:587",
    "BASE_URL": "https://bellhop.example.com",
}
APNS = ("APNS_KEY", "APNS_KEY_ID", "APNS_TEAM_ID", "APNS_TOPIC")
P256 = ec.generate_private_key(ec.SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
P384 = ec.generate_private_key(ec.SECP384R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
APPLE = dict(zip(APNS, (P256, "KEY1234567", "TEAM123456", "com.example.bellhop"), strict=True))
GOOGLE = {
    "project_id": "p",
    "client_email": "bellhop@example.com",
    "private_key": P256,
    "token_uri": "https://oauth2.googleapis.com/token",
}
Reading = Callable[..., Environment]


@pytest.fixture
def reading(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Reading:
    """Environment as it is read in production, with these changes."""

    def read(**changes: str) -> Environment:
        for name in (
            "BROKER_URL",
            "DATABASE_POOL",
            "ALLOWED_HOSTS",
            "VAPID_PRIVATE_KEY",
            "VAPID_SUBJECT",
            "SEALING_KEYS",
            "FCM_CREDENTIALS",
            *APNS,
        ):
            monkeypatch.delenv(name, raising=False)
        for name, value in (PRODUCTION | changes).items():
            monkeypatch.setenv(name, value)
        return Environment(tmp_path)

    return read


@pytest.mark.parametrize("missing", ["SECRET_KEY", "DATABASE_URL", "REDIS_URL", "EMAIL_URL", "BASE_URL"])
def test_production_names_the_secret_that_is_missing(reading: Reading, missing: str) -> None:
    with pytest.raises(ImproperlyConfigured, match=f"Production needs {missing} in the environment"):
        reading(**{missing: ""}).secret_key()


@pytest.mark.parametrize(
    ("changes", "question", "sentence"),
    [
        ({"SECRET_KEY": "short"}, Environment.secret_key, "at least 50 random characters"),
        ({"SECRET_KEY": "a" * 80}, Environment.secret_key, "too weak"),
        ({"BASE_URL": "http://bellhop.example.com"}, Environment.base_url, "must begin with https://"),
        ({"BASE_URL": "bellhop.example.com"}, Environment.base_url, "must look like"),
        ({"DATABASE_URL": "mysql://u@h/d"}, Environment.database, "must name a PostgreSQL database"),
        ({"DATABASE_URL": "nonsense"}, Environment.database, "must name a PostgreSQL database"),
        ({"REDIS_URL": "http://redis"}, Environment.redis_url, "REDIS_URL must look like"),
        ({"BROKER_URL": "sqs://"}, lambda env: env.broker_url(""), "BROKER_URL must begin with"),
        ({"EMAIL_URL": "mail.example.com"}, Environment.mail, "EMAIL_URL must look like"),
        ({"DATABASE_POOL": "maybe"}, Environment.database, "it can be true or false"),
        ({"SEALING_KEYS": "short"}, Environment.sealing_keys, "at least 32 random characters"),
        ({"VAPID_PRIVATE_KEY": "short"}, Environment.vapid_key, "must be 32 bytes in base64url"),
        ({"VAPID_PRIVATE_KEY": "ä" * 43}, Environment.vapid_key, "must be 32 bytes in base64url"),
        ({"VAPID_SUBJECT": "me"}, lambda env: env.vapid_subject("https://b.example"), "must look like mailto:"),
        ({"VAPID_PRIVATE_KEY": "A" * 43}, lambda env: env.vapid_subject("https://b.example"), "needs VAPID_SUBJECT"),
        ({"FCM_CREDENTIALS": "/nowhere/key.json"}, Environment.fcm_credentials, "names a file that cannot be read"),
        ({"FCM_CREDENTIALS": "{not json"}, Environment.fcm_credentials, "must be the JSON of a Google service account"),
        ({"FCM_CREDENTIALS": "{}"}, Environment.fcm_credentials, "must be the JSON of a Google service account"),
        (
            {"FCM_CREDENTIALS": json.dumps(GOOGLE | {"private_key": "x"})},
            Environment.fcm_credentials,
            "must be the JSON of a Google service account",
        ),
        ({"APNS_KEY": P256}, Environment.apns, "needs APNS_KEY_ID, APNS_TEAM_ID, APNS_TOPIC too"),
        (APPLE | {"APNS_KEY": P384}, Environment.apns, "must be the .p8 file"),
        (APPLE | {"APNS_KEY": "-----BEGIN"}, Environment.apns, "must be the .p8 file"),
        (APPLE | {"APNS_KEY_ID": "short"}, Environment.apns, "ten capital letters and digits"),
        (APPLE | {"APNS_TOPIC": "a b"}, Environment.apns, "must be the bundle id"),
        (
            {"FCM_URL": "http://127.0.0.1:1"},
            lambda env: env.service_url("FCM_URL", default="https://x.example"),
            "must begin with https://",
        ),
        ({"N": "-1"}, lambda env: env.number("N", default=0), "must be a whole number"),
    ],
)
def test_a_wrong_value_is_refused_with_what_would_be_right(
    reading: Reading, changes: dict[str, str], question: Callable[[Environment], object], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured, match=sentence):
        question(reading(**changes))


def test_credentials_of_native_applications_may_be_text_or_a_file_or_missing(reading: Reading, tmp_path: Path) -> None:
    (tmp_path / "google.json").write_text(json.dumps(GOOGLE))
    (tmp_path / "apple.p8").write_text(P256)

    assert reading().fcm_credentials() == {}
    assert not any(reading().apns().values())
    assert reading(FCM_CREDENTIALS=json.dumps(GOOGLE)).fcm_credentials() == GOOGLE
    assert reading(FCM_CREDENTIALS=str(tmp_path / "google.json")).fcm_credentials() == GOOGLE
    for given in (P256, P256.replace("\n", "\\n"), str(tmp_path / "apple.p8")):
        assert reading(**APPLE | {"APNS_KEY": given}).apns()["APNS_KEY"].strip() == P256.strip()


def test_an_unknown_mode_is_refused(reading: Reading) -> None:
    with pytest.raises(ImproperlyConfigured, match="it can be production, local, test"):
        reading(BELLHOP_MODE="staging")


def test_a_deployment_is_never_turned_local_by_a_file_left_over(
    reading: Reading, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "local.env").write_text("BELLHOP_MODE=local\n")
    monkeypatch.setenv("VAR_DIR", str(tmp_path))

    assert reading(BELLHOP_MODE="").mode == "production"


def test_unix_sockets_are_understood_for_database_cache_and_broker(reading: Reading) -> None:
    env = reading(DATABASE_URL="postgres://bellhop@%2Fsrv%2Frun/bellhop", REDIS_URL="unix:///srv/redis.sock?db=3")

    assert env.database()["HOST"] == "/srv/run"
    assert env.broker_url(env.redis_url()) == "redis+socket:///srv/redis.sock?virtual_host=3"


def test_web_processes_pool_their_connections_and_workers_keep_theirs(reading: Reading) -> None:
    pooled, kept = reading(DATABASE_POOL="true").database(), reading(DATABASE_POOL="").database()

    assert pooled["OPTIONS"]["pool"]["max_size"] == 10
    assert "CONN_MAX_AGE" not in pooled
    assert "pool" not in kept["OPTIONS"]
    assert kept["CONN_MAX_AGE"] > 0


def test_commands_say_it_in_one_sentence_without_a_traceback(tmp_path: Path) -> None:
    ended = manage("check", env=environment(VAR_DIR=str(tmp_path)))

    assert ended.returncode == 1
    assert ended.stderr.startswith("Production needs SECRET_KEY, DATABASE_URL")
    assert len(ended.stderr.splitlines()) == 1


def test_a_production_deployment_passes_djangos_own_check(tmp_path: Path) -> None:
    ended = manage("check", "--deploy", "--fail-level", "INFO", env=environment(VAR_DIR=str(tmp_path), **PRODUCTION))

    assert ended.stderr == ""
    assert ended.returncode == 0, ended.stdout
