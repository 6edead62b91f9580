"""`manage.py worker`: the tasks."""

import os
import warnings
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from config.celery import app
from config.memory import collect_garbage_seldom
from crm.room import ROOM


class Command(BaseCommand):
    help = "Do the tasks. SIGTERM finishes the ones at hand, then ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--concurrency", type=int, default=4, help="how many tasks at a time (4)")

    def handle(self, *_: str, concurrency: int, **__: Any) -> None:
        if "socket_timeout" in (options := app.conf.broker_transport_options):
            options["socket_timeout"] = 20  # a worker may wait for work; only who hands it out must not
        ROOM.at_once = max(1, concurrency - 1)
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="You're running the worker with superuser")
            worker = app.Worker(
                hostname=f"bellhop-{os.getpid()}@%h",
                pool_cls="threads",
                concurrency=concurrency,
                loglevel="WARNING",
                quiet=True,
                without_gossip=True,
                without_mingle=True,
                without_heartbeat=True,
            )
        collect_garbage_seldom()
        worker.start()
        raise SystemExit(worker.exitcode or 0)
