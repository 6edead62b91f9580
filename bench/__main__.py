"""`python -m bench [name …]`: measure, print the table, write bench/results/latest.json."""

import argparse
import contextlib
import importlib
import json
import os
import platform
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import services
from bench.figure import Figure, load, say, table

NAMES = (
    *("fanout", "fanout_peer", "live", "end_to_end", "broadcast", "page", "records"),
    *("mail", "push", "webhook", "presence", "digest"),
)
RESULTS = Path(__file__).parent / "results" / "latest.json"


def main() -> int:
    """0 when every figure was taken, met or not; 1 when one could not be; 130 when somebody stopped it."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which figures: {', '.join(NAMES)} (all)")
    names = parser.parse_args().names or NAMES
    if unknown := [name for name in names if name not in NAMES]:
        parser.error(f"There is no figure “{unknown[0]}”. There are: {', '.join(NAMES)}.")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # as Ctrl-C: everything started is stopped
    _open_files()
    try:
        figures, failed = measure(names)
    except KeyboardInterrupt:
        say("Stopped, and everything that was started with it.")
        return 130
    print(table(figures))
    _write(figures, keep=len(names) < len(NAMES))
    for name in failed:
        say(f"{name} could not be measured; the reason is above.")
    return 1 if failed else 0


def measure(names: Sequence[str]) -> tuple[list[Figure], list[str]]:
    """Take the figures one after the other, on the same services."""
    figures: list[Figure] = []
    failed: list[str] = []
    with services.running():
        for name in names:
            say(f"{name} … (load {load()})")
            start = time.monotonic()
            try:
                importlib.import_module("bench.people").clean()
                figures += importlib.import_module(f"bench.{name}").run()
            except Exception as problem:  # noqa: BLE001 (the other figures are still worth taking)
                import traceback

                traceback.print_exc()
                say(f"{name}: {problem}")
                failed.append(name)
            say(f"{name}: {time.monotonic() - start:.0f} s")
    return figures, failed


def _open_files() -> None:
    """5,000 sockets need as many open files, here and in the processes we start."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def _write(figures: Sequence[Figure], *, keep: bool) -> None:
    """Write the results. A run of some figures keeps what the file says of the others."""
    written: dict[str, Any] = {}
    if keep:
        with contextlib.suppress(OSError, ValueError):
            written = {figure["name"]: figure for figure in json.loads(RESULTS.read_text())["figures"]}
    now = datetime.now(UTC).isoformat(timespec="seconds")
    written |= {figure.name: figure.as_json() | {"measured_at": now, "commit": _commit()} for figure in figures}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(
        json.dumps({"machine": _machine(), "figures": list(written.values())}, indent=2, ensure_ascii=False) + "\n"
    )


def _machine() -> dict[str, Any]:
    return {"cores": os.cpu_count(), "python": platform.python_version(), "system": platform.system()}


def _commit() -> str:
    version = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False)
    return version.stdout.strip()


if __name__ == "__main__":
    sys.exit(main())
