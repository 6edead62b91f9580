"""The one command: what it says when it cannot start, and that nothing it is done to loses data."""

import os
import signal
import socket
from pathlib import Path

import psutil
import psycopg
import pytest

from tests.house import House, environment, manage, wait_for

pytestmark = pytest.mark.kill


def refused(*arguments: str, var: Path) -> str:
    """What `up` says when it refuses: one sentence, exit code 1, no traceback."""
    ended = manage("up", *arguments, env=environment(VAR_DIR=str(var)))
    assert ended.returncode == 1
    assert "Traceback" not in ended.stderr
    return ended.stderr.strip()


def test_a_taken_port_is_named_and_another_proposed(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        assert refused("--port", str(port), var=tmp_path / "var") == (
            f"Port {port} is taken by another program. Choose another: make run PORT={port + 1}"
        )


def test_a_number_that_is_no_port_is_refused(tmp_path: Path) -> None:
    assert "70000 is no port" in refused("--port", "70000", var=tmp_path / "var")


def test_a_file_where_the_folder_should_be_is_named(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("in the way")

    assert "must be a folder" in refused("--port", "0", var=tmp_path / "var")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    if os.geteuid() == 0:  # root may write everywhere, except where nobody may
        closed = Path("/sys/bellhop")
    else:
        tmp_path.chmod(0o500)
        closed = tmp_path / "var"

    assert "cannot be written by this user" in refused("--port", "0", var=closed)


def test_a_full_disk_is_called_by_its_name(tmp_path: Path) -> None:
    (tmp_path / "local.new").symlink_to("/dev/full")

    assert "There is no room left on the disk" in refused("--port", "0", var=tmp_path)


def test_it_comes_back_with_all_data_whatever_is_killed(house: House) -> None:
    house.start()
    assert house.status() == 200
    assert "alice@example.com" in house.words()

    assert "Bellhop runs here already" in refused("--port", "0", var=house.var)

    for name in ("web", "worker", "beat"):
        killed = house.part(name)
        killed.kill()
        wait_for(lambda killed=killed, name=name: _runs_anew(house, name, killed.pid), f"another {name}")  # type: ignore[misc]
    assert house.status() == 200

    me, *below = house.family()
    for server in below:
        if server.ppid() == me.pid and server.name() in {"postgres", "redis-server", "valkey-server"}:
            server.kill()
    wait_for(lambda: house.status() == 200, "health after PostgreSQL and Redis were killed")

    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        connection.execute("UPDATE accounts_user SET name = 'Still here' WHERE email = 'bob@example.com'")
    key = house.fact("SECRET_KEY")
    assert (house.var / "local.env").stat().st_mode & 0o077 == 0
    assert (house.var / "vapid.key").stat().st_mode & 0o777 == 0o600
    house.kill_everything()

    house.start()
    assert house.fact("SECRET_KEY") == key
    with psycopg.connect(house.fact("DATABASE_URL")) as connection:
        found = connection.execute("SELECT name FROM accounts_user WHERE email = 'bob@example.com'").fetchone()
        assert found == ("Still here",)


def test_stopping_leaves_no_process_behind_and_neither_does_killing(house: House) -> None:
    house.start()
    family = house.family()
    house.send(signal.SIGTERM)
    assert house.process
    assert house.process.wait(60) == 0
    assert [one for one in family if one.is_running()] == []
    assert "Bellhop has stopped." in house.words()

    house.start()
    family = house.family()
    house.send(signal.SIGKILL)
    house.process.wait()
    _, alive = psutil.wait_procs(family, timeout=30)
    assert alive == []


def _runs_anew(house: House, name: str, old: int) -> bool:
    try:
        return house.part(name).pid != old
    except (StopIteration, psutil.Error):
        return False
