"""Where the embedded services keep their data, programs and sockets."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from config.embedded.processes import SystemUser, unprivileged_user
from config.errors import Refusal

LONGEST_SOCKET_PATH = 100
OPEN_PLACE = Path("/var/lib")


@dataclass(frozen=True)
class Places:
    """The folders of one checkout's services. `elsewhere` is set where var/ is closed to the user that runs them."""

    var: Path
    postgres: Path
    redis: Path
    sockets: Path
    user: SystemUser | None
    elsewhere: Path | None


def choose(var: Path) -> Places:
    """Decide the places for that var folder, which must exist. The answer is the same every time, and data that is
    there already stays where it is. Nothing is written, and no folder's mode is changed."""
    open_place = OPEN_PLACE / f"bellhop-{hashlib.sha256(str(var).encode()).hexdigest()[:10]}"
    user = unprivileged_user(var / "postgres" if (var / "postgres").exists() else open_place / "postgres")
    elsewhere = None
    if user is not None and not (var / "postgres" / "PG_VERSION").exists():
        if (open_place / "postgres" / "PG_VERSION").exists() or not user.can_read(var):
            elsewhere = open_place
    elif user is not None and not user.can_read(var / "postgres"):
        raise Refusal(
            f"{var / 'postgres'} holds the data, but a folder above it is closed to the user {user.name}, who runs "
            f"PostgreSQL. Open the way again, or move the data to {open_place / 'postgres'}."
        )
    home = elsewhere or var
    return Places(
        var=var,
        postgres=home / "postgres",
        redis=var / "redis",
        sockets=_socket_folder(home / "run"),
        user=user,
        elsewhere=elsewhere,
    )


def _socket_folder(wanted: Path) -> Path:
    """That folder, or a short one for it: the path of a unix socket has room for about 100 characters."""
    if len(str(wanted / ".s.PGSQL.5432")) <= LONGEST_SOCKET_PATH:
        return wanted
    return Path("/tmp") / f"bellhop-{hashlib.sha256(str(wanted).encode()).hexdigest()[:10]}"  # noqa: S108


def make(folder: Path, *, user: SystemUser | None, mode: int = 0o700) -> None:
    """Create the folder for that user. Refuses one that somebody else has put there."""
    owner = user.uid if user else os.geteuid()
    folder.parent.mkdir(parents=True, exist_ok=True)
    try:
        folder.mkdir(mode=mode)
        folder.chmod(mode)
        if user:
            os.chown(folder, user.uid, user.gid)
    except FileExistsError:
        there = folder.lstat()
        if not stat.S_ISDIR(there.st_mode) or there.st_uid not in {owner, os.geteuid()}:
            raise Refusal(
                f"{folder} is there already and belongs to somebody else. Remove it and start again."
            ) from None
