"""Recipients per second against django-notifications-hq 1.8.3, on the same database server."""

import json
import subprocess
import sys
from pathlib import Path

from django.db import connection

from bench import fanout, people, services
from bench.figure import REPEATS, Figure, load, median, say
from notifications import events, types
from notifications import fanout as product

HERE = Path(__file__).parent / "hq"
VENV = Path(__file__).parent.parent / "var" / "bench-hq"
RECIPIENTS = 1_000
DATABASE = "bench_hq"


def run() -> list[Figure]:
    """The peer tells 1,000 people in its own environment; we tell 100,000, and 1,000 too."""
    with services.running():
        python = _environment()
        load_before = load()
        peer = _peer(python)
        account, kind = people.crowd(), types.TYPES[fanout.KIND]
        people.choose(account, kind.key, count=people.OVERRIDES, chosen=4, on=0)
        few = tuple(account.members.order_by("id").values_list("id", flat=True)[:RECIPIENTS])
        many_rates, few_rates = [], []
        for audience, rates in ((events.Audience(everyone=True), many_rates), (events.Audience(few), few_rates)):
            for i in range(REPEATS + 1):
                events.emit(kind, audience=audience, account=account, data=dict(kind.example))
                told = len(few) if audience.members else people.CROWD
                rate = told / fanout.settled(product.run_due)
                if i:
                    rates.append(rate)
        ours, theirs = median(many_rates), median(peer["atomic"])
        return [
            Figure(
                name="fanout_peer",
                what="recipients per second, one event to 100,000 members",
                value=ours,
                unit="rows/s",
                yardstick=theirs,
                yardstick_what="django-notifications-hq 1.8.3, notify.send to 1,000 in one transaction, Django 5.0",
                goal="≥ 50 ×",
                is_met=ours >= 50 * theirs,
                load=load_before,
                samples=many_rates,
                details={
                    "yardstick_samples": peer["atomic"],
                    "peer_a_commit_per_recipient": median(peer["autocommit"]),
                    "ours_to_1000_members": median(few_rates),
                },
            )
        ]


def _environment() -> Path:
    """The peer's Python; its virtual environment is made at the first run and again when the list changes."""
    python, wanted = VENV / "bin" / "python", (HERE / "requirements.txt").read_text()
    note = VENV / "installed.txt"
    if not note.exists() or note.read_text() != wanted:
        say("  installing django-notifications-hq into an environment of its own …")
        subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], check=True)
        subprocess.run([python, "-m", "pip", "install", "-q", "-r", HERE / "requirements.txt"], check=True)
        note.write_text(wanted)
    return python


def _peer(python: Path) -> dict[str, list[float]]:
    """Its rates, in a database that is there only for it."""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE}")
        cursor.execute(f"CREATE DATABASE {DATABASE}")
    at = connection.settings_dict
    try:
        done = subprocess.run(
            [python, HERE / "measure.py", DATABASE, at["HOST"], at["USER"], str(RECIPIENTS), str(REPEATS)],
            check=True,
            capture_output=True,
            text=True,
            cwd=HERE,
        )
    except subprocess.CalledProcessError as problem:
        raise RuntimeError(f"the peer did not run: {problem.stderr.strip()[-500:]}") from None
    finally:
        with connection.cursor() as cursor:
            cursor.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
    rates: dict[str, list[float]] = json.loads(done.stdout.strip().splitlines()[-1])
    return rates
