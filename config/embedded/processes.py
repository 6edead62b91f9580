"""Starting children that end with us, finding the ones that did not, and stopping either."""

import contextlib
import ctypes
import errno
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import psutil

from config.errors import Refusal

PR_SET_PDEATHSIG = 1
LOG_KEPT_BYTES = 5_000_000
_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


@dataclass(frozen=True)
class SystemUser:
    """An unprivileged user of this machine under which a server runs when we are root."""

    name: str
    uid: int
    gid: int

    def can_read(self, path: Path) -> bool:
        """Whether that user gets to the path and may read it, asked by trying."""
        question = ["/bin/sh", "-c", 'test -r "$1" && { test ! -d "$1" || test -x "$1"; }', "sh", str(path)]
        return subprocess.run(question, user=self.uid, group=self.gid, extra_groups=[], cwd="/").returncode == 0

    def own(self, folder: Path) -> None:
        """Give the folder, and nothing above it, to that user."""
        for path in [folder, *folder.rglob("*")]:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def unprivileged_user(data: Path) -> SystemUser | None:
    """Who is to run a server that refuses to run as root: the owner of its data, else `postgres`, else `nobody`.
    None when we are not root: then it is ourselves."""
    if os.geteuid() != 0:
        return None
    with contextlib.suppress(OSError, KeyError):
        if owner := data.stat().st_uid:
            found = pwd.getpwuid(owner)
            return SystemUser(found.pw_name, found.pw_uid, found.pw_gid)
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            found = pwd.getpwnam(name)
            return SystemUser(found.pw_name, found.pw_uid, found.pw_gid)
    raise Refusal("PostgreSQL does not run as root, and this machine has neither a user “postgres” nor “nobody”.")


def spawn(
    command: Sequence[str | Path],
    *,
    at_our_death: signal.Signals = signal.SIGTERM,
    user: SystemUser | None = None,
    log: Path | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    hand_over: Iterable[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a process group of its own, so that Ctrl-C reaches only us. When we die without stopping it,
    Linux sends it `at_our_death`. Call it from the main thread: Linux means the thread, not the process."""
    parent = os.getpid()

    def bind_to_us() -> None:
        if _libc is not None:
            _libc.prctl(PR_SET_PDEATHSIG, int(at_our_death))
            if os.getppid() != parent:
                os._exit(1)

    with contextlib.ExitStack() as files:
        output = files.enter_context(_opened(log)) if log else None
        return subprocess.Popen(
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            cwd=folder,
            env=dict(environment) if environment is not None else None,
            pass_fds=tuple(hand_over),
            process_group=0,
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=() if user else None,
            preexec_fn=bind_to_us,
        )


def _opened(log: Path) -> BinaryIO:
    log.parent.mkdir(parents=True, exist_ok=True)
    if log.exists() and log.stat().st_size > LOG_KEPT_BYTES:
        log.replace(log.with_suffix(".old.log"))
    return log.open("ab")


def last_words(log: Path, *, lines: int = 3) -> str:
    """The end of a log, on one line, for a sentence about why a server did not start."""
    with contextlib.suppress(OSError):
        written = log.read_text(errors="replace").strip().splitlines()[-lines:]
        return " / ".join(line.strip() for line in written)
    return ""


def living_in(folder: Path, *, named: Collection[str]) -> list[psutil.Process]:
    """The servers of these names whose working directory is that folder: what `kill -9` leaves behind."""
    wanted, found = str(folder.resolve()), []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.name() in named and process.cwd() == wanted:
                found.append(process)
    return found


def same_process(pid: int, started: float) -> psutil.Process | None:
    """The process with that number, if it is still the one that was started then (numbers are used again)."""
    with contextlib.suppress(psutil.Error):
        process = psutil.Process(pid)
        if abs(process.create_time() - started) < 1 and process.status() != psutil.STATUS_ZOMBIE:
            return process
    return None


def end(processes: Sequence[psutil.Process], *, politely: signal.Signals, patience: float) -> None:
    """Ask each to stop, wait that many seconds, then make it."""
    for process in processes:
        with contextlib.suppress(psutil.Error):
            process.send_signal(politely)
    _, stubborn = psutil.wait_procs(processes, timeout=patience)
    for process in stubborn:
        with contextlib.suppress(psutil.Error):
            process.kill()
    psutil.wait_procs(stubborn, timeout=10)


def stop(child: subprocess.Popen[bytes], *, politely: signal.Signals, patience: float) -> None:
    """The same for a child of ours, whose exit is collected."""
    if child.poll() is None:
        child.send_signal(politely)
        try:
            child.wait(patience)
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


def wait_until(
    ready: Callable[[], bool], *, child: subprocess.Popen[bytes], name: str, log: Path, seconds: float
) -> None:
    """Return once the child is ready. Refuses, with its last words, if it ends first or takes too long; then, and when
    we are interrupted, it is stopped again."""
    try:
        _wait(ready, child=child, name=name, log=log, until=time.monotonic() + seconds)
    except BaseException:
        stop(child, politely=signal.SIGINT, patience=30)  # PostgreSQL's fast shutdown; Redis takes it as well
        raise


def _wait(ready: Callable[[], bool], *, child: subprocess.Popen[bytes], name: str, log: Path, until: float) -> None:
    while not ready():
        if child.poll() is not None:
            raise Refusal(f"{name} did not start: {last_words(log) or 'it said nothing'} (log: {log})")
        if time.monotonic() > until:
            raise Refusal(f"{name} does not answer: {last_words(log)} (log: {log})")
        time.sleep(0.05)


def explain(problem: OSError, path: Path) -> Refusal:
    """Say in a sentence why a file or folder of ours cannot be written."""
    where = problem.filename or path
    match problem.errno:
        case errno.ENOSPC | errno.EDQUOT:
            return Refusal(f"There is no room left on the disk for {path}. Make room and start again.")
        case errno.EROFS | errno.EACCES | errno.EPERM:
            return Refusal(f"{where} cannot be written by this user. Make it writable, or name another VAR_DIR.")
        case errno.ENOTDIR | errno.EEXIST | errno.EISDIR:
            return Refusal(f"{where} is in the way: {path} must be a folder. Move it, or name another VAR_DIR.")
        case _:
            return Refusal(f"{where}: {problem.strerror or problem}.")
