"""`manage.py up`: everything on this machine, with one command."""

import http.client
import signal
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.db import connection, connections
from django.db.migrations.executor import MigrationExecutor

from accounts import demo
from accounts.models import User
from config import local
from config.embedded.processes import explain, spawn
from config.local import CHECKOUT, Local
from config.supervisor import Part, Stopped, Supervisor, say


class Command(BaseCommand):
    help = "Start everything on this machine: database, Redis, web, worker and beat. Ctrl-C stops it in order."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=8000, help="the port to serve on (8000)")

    def handle(self, *_: str, **__: Any) -> None:
        here = local.prepared()
        if here.remark:
            say(here.remark)
        try:
            with Supervisor(note=here.note) as supervisor, here.listener:
                self._serve(here, supervisor)
        except Stopped:
            say("Bellhop has stopped.")
        except OSError as problem:
            raise explain(problem, here.var) from problem

    def _serve(self, here: Local, supervisor: Supervisor) -> None:
        say("Bellhop is starting …")
        supervisor.add(*_services(here))
        with supervisor.undisturbed():
            _prepare_database()
        supervisor.add(_part("worker", "worker", patience=30))
        supervisor.add(_web(here), _part("beat", "beat"))
        is_told = False
        while True:
            supervisor.tick()
            if not is_told and _answers(here.listener.getsockname()[1]):
                say("\n".join(["", f"Bellhop is at {here.address}", *_sign_ins(), "Stop it with Ctrl-C.", ""]))
                is_told = True


def _services(here: Local) -> Iterator[Part]:
    if postgres := here.postgres:

        def start_postgres() -> "subprocess.Popen[bytes]":
            postgres.start()
            assert postgres.child
            return postgres.child

        yield Part("PostgreSQL", start_postgres, ask=signal.SIGINT, patience=60, can_hurry=False)
    if redis := here.redis:

        def start_redis() -> "subprocess.Popen[bytes]":
            redis.start()
            assert redis.child
            return redis.child

        yield Part("Redis", start_redis, patience=15, can_hurry=False)


def _part(name: str, *command: str, patience: float = 15, hand_over: tuple[int, ...] = ()) -> Part:
    def start() -> "subprocess.Popen[bytes]":
        # Killed ourselves, there is nothing to drain to: what they had not finished is a row and comes again.
        command_line: list[str | Path] = [sys.executable, CHECKOUT / "manage.py", *command]
        return spawn(command_line, at_our_death=signal.SIGKILL, hand_over=hand_over)

    return Part(f"The {name} process", start, patience=patience)


def _web(here: Local) -> Part:
    """It gets the listening socket from us: while it is started again, callers wait instead of being refused."""
    listener = here.listener.fileno()
    return _part("web", "web", "--fd", str(listener), hand_over=(listener,))


def _prepare_database() -> None:
    """Migrate, and load the demo account into a database in which nobody is yet."""
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        say("Preparing the database …")
        call_command("migrate", interactive=False, verbosity=0)
    if not User.objects.exists():
        call_command("demo")
    connections.close_all()


def _sign_ins() -> list[str]:
    """The demo people's addresses and passwords, as long as they are there."""
    there = set(User.objects.filter(email__in=[one.email for one in demo.SIGN_INS]).values_list("email", flat=True))
    connections.close_all()
    lines = [f"  {one.email:<24}{one.password}  {one.who}" for one in demo.SIGN_INS if one.email in there]
    return ["Sign in as", *lines] if lines else []


def _answers(port: int) -> bool:
    with suppress(OSError, http.client.HTTPException), closing(_connection(port)) as caller:
        caller.request("GET", "/healthz/")
        return caller.getresponse().status == http.HTTPStatus.OK
    return False


def _connection(port: int) -> http.client.HTTPConnection:
    return http.client.HTTPConnection("127.0.0.1", port, timeout=1)
