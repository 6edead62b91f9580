"""`manage.py web`: pages, API and sockets."""

import errno
import resource
import socket
from argparse import ArgumentParser
from contextlib import suppress
from typing import Any

import uvicorn
from django.core.management.base import BaseCommand

from config.errors import Refusal
from config.memory import collect_garbage_seldom


class Command(BaseCommand):
    help = "Serve pages, API and sockets (ASGI). SIGTERM finishes the requests at hand, then ends."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="the address to listen on (127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="the port to listen on (8000)")
        parser.add_argument("--fd", type=int, help="a listening socket handed over by the parent process")

    def handle(self, *_: str, host: str, port: int, fd: int | None, **__: Any) -> None:
        listener = socket.socket(fileno=fd) if fd is not None else _listen(host, port)
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        with suppress(OSError, ValueError):  # a socket is an open file
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        config = uvicorn.Config(
            "config.asgi:application",
            ws="websockets-sansio",
            ws_ping_interval=30,  # whoever went away without a word is gone within 50 seconds
            ws_per_message_deflate=False,  # it would cost each idle socket up to 100 KB
            lifespan="off",
            access_log=False,
            log_config=None,
            log_level="warning",
            server_header=False,
            timeout_graceful_shutdown=10,
        )
        config.load()
        collect_garbage_seldom()
        server = uvicorn.Server(config)
        server.run(sockets=[listener])
        if not server.started:
            raise SystemExit(1)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except (OSError, OverflowError) as problem:
        if getattr(problem, "errno", None) == errno.EADDRINUSE:
            raise Refusal(f"Port {port} is taken by another program. Choose another with --port.") from None
        raise Refusal(f"{host} port {port} cannot be listened on: {problem}.") from None
    listener.listen(1024)
    listener.setblocking(False)
    return listener
