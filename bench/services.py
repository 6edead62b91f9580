"""Throw-away PostgreSQL and Redis to measure on, with the settings a real server has: what is committed is on disk."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import django
from django.core.management import call_command

from config.embedded.postgres import Postgres, programs_for
from config.embedded.processes import unprivileged_user
from config.embedded.redis import Redis


@contextlib.contextmanager
def running(**environment: str) -> Iterator[Path]:
    """Start both, say in the environment where they are, set Django up and migrate. Gives the folder, which ends
    with everything in it. Inside a run that has started them already it only gives that run's folder.

    `environment` is set before the settings are read: EMAIL_URL, for one.
    """
    os.environ.update(environment)
    if started := os.environ.get("BELLHOP_BENCH_FOLDER"):
        django.setup()
        yield Path(started)
        return
    with contextlib.ExitStack() as stack:
        folder = Path(tempfile.mkdtemp(prefix="bellhop-bench-"))
        folder.chmod(0o755)
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        user = unprivileged_user(folder)
        postgres = Postgres(
            data=folder / "postgres",
            sockets=folder / "pg",
            log=folder / "postgres.log",
            user=user,
            bin_folder=programs_for(user, copy_to=Path(tempfile.gettempdir())),
        )
        redis = Redis(data=folder / "redis", sockets=folder / "rd", log=folder / "redis.log", keeps=False)
        for server in (postgres, redis):
            server.start()
            stack.callback(server.stop)
        os.environ |= {
            "DJANGO_SETTINGS_MODULE": "config.settings",
            "BELLHOP_MODE": "test",
            "BELLHOP_BENCH_FOLDER": str(folder),
            "VAR_DIR": str(folder),
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": redis.url(),
        }
        stack.callback(os.environ.pop, "BELLHOP_BENCH_FOLDER", None)
        django.setup()
        call_command("migrate", verbosity=0)
        yield folder
