"""The embedded services: where they live, and what they make of what they find."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from config.embedded import places
from config.embedded.postgres import THROW_AWAY, Postgres, programs_for
from config.embedded.processes import SystemUser, unprivileged_user
from config.embedded.redis import Redis
from config.errors import Refusal

only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs the services under another user")


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user can enter, unlike tmp_path, which is closed."""
    with TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


def server(folder: Path) -> Postgres:
    user = unprivileged_user(folder / "data")
    return Postgres(
        data=folder / "data",
        sockets=folder / "run",
        log=folder / "log",
        user=user,
        bin_folder=programs_for(user, copy_to=folder),
        options=THROW_AWAY,
    )


@only_root
def test_below_a_closed_folder_the_data_is_kept_in_an_open_place_and_no_mode_is_loosened(
    tmp_path: Path, open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "OPEN_PLACE", open_folder)
    closed = tmp_path / "home"
    closed.mkdir(mode=0o700)
    var = closed / "var"
    var.mkdir()

    chosen = places.choose(var)

    assert chosen.elsewhere is not None
    assert chosen.postgres.is_relative_to(open_folder)
    assert closed.stat().st_mode & 0o777 == 0o700
    assert chosen == places.choose(var)


@only_root
def test_below_an_open_folder_everything_stays_in_var(open_folder: Path) -> None:
    chosen = places.choose(open_folder)

    assert chosen.elsewhere is None
    assert chosen.postgres == open_folder / "postgres"
    assert chosen.sockets == open_folder / "run"


@only_root
def test_data_that_became_unreachable_is_refused_not_replaced_by_an_empty_database(
    open_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(places, "OPEN_PLACE", open_folder / "lib")
    var = open_folder / "home" / "var"
    data = var / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("18")
    var.parent.chmod(0o700)

    with pytest.raises(Refusal, match="holds the data, but a folder above it is closed"):
        places.choose(var)


@only_root
def test_programs_below_a_closed_folder_are_copied_and_run(open_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    user = unprivileged_user(open_folder / "data")
    assert user
    monkeypatch.setattr(SystemUser, "can_read", lambda self, path: False)

    folder = programs_for(user, copy_to=open_folder)

    assert folder.is_relative_to(open_folder)
    told = subprocess.run(
        [folder / "postgres", "--version"], user=user.uid, group=user.gid, cwd="/", capture_output=True, check=True
    )
    assert b"PostgreSQL" in told.stdout
    assert programs_for(user, copy_to=open_folder) == folder


def test_a_long_path_gets_a_short_folder_for_its_sockets(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 100)
    deep.mkdir()

    assert len(str(places.choose(deep).sockets / ".s.PGSQL.5432")) <= places.LONGEST_SOCKET_PATH


def test_a_folder_that_somebody_else_made_is_not_used(tmp_path: Path) -> None:
    (tmp_path / "run").symlink_to(tmp_path)

    with pytest.raises(Refusal, match="belongs to somebody else"):
        places.make(tmp_path / "run", user=None)


def test_data_of_another_postgresql_is_refused_in_a_sentence(open_folder: Path) -> None:
    (open_folder / "data").mkdir()
    (open_folder / "data" / "PG_VERSION").write_text("15\n")

    with pytest.raises(Refusal, match="was written by PostgreSQL 15, this is 18"):
        server(open_folder).prepare()


def test_a_server_that_cannot_start_says_why(open_folder: Path) -> None:
    broken = server(open_folder)
    broken.prepare()
    (broken.data / "postgresql.conf").write_text("no_such_setting = 1\n")

    with pytest.raises(Refusal, match=r"PostgreSQL did not start: .*no_such_setting"):
        broken.start()


def test_a_redis_file_that_cannot_be_read_is_put_aside(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "dump.rdb").write_bytes(b"REDIS0009 and then nonsense")
    memory = Redis(data=tmp_path / "data", sockets=tmp_path, log=tmp_path / "log")

    memory.start()
    try:
        assert memory.answers()
        assert (tmp_path / "data" / "dump.unreadable").exists()
    finally:
        memory.stop()
