"""One event to 100,000 members with 20,000 choices of their own, against COPY of as many conventional rows."""

import json
from typing import Any

from django.db import connection

from bench import people, services
from bench.figure import REPEATS, Figure, load, median, say, timed
from notifications import events, fanout, types
from notifications.models import Event, Notification

KIND = "deals.stage_changed"

# What one would write without thinking of thin rows: the text in each row, the account's integrity by foreign keys,
# the list by an index over member and time, the badge by a partial one. The foreign keys are checked at the end of
# the statement, which is cheaper than Django's deferred ones.
FAT = """
    CREATE TABLE bench_fat{suffix} (
        id bigserial PRIMARY KEY,
        member_id bigint NOT NULL {member}, event_id bigint NOT NULL {event},
        type varchar(80) NOT NULL, title text NOT NULL, body text NOT NULL, url text NOT NULL, data jsonb NOT NULL,
        channels smallint NOT NULL, created_at timestamptz NOT NULL DEFAULT now(), read_at timestamptz
    );
    CREATE INDEX ON bench_fat{suffix} (member_id, created_at DESC);
    CREATE INDEX ON bench_fat{suffix} (member_id) WHERE read_at IS NULL;
"""
COLUMNS = "member_id, event_id, type, title, body, url, data, channels"


def run() -> list[Figure]:
    """Alternately: our fan-out from the claimed event to the last commit, and one COPY of rows made beforehand."""
    with services.running():
        account, kind = people.crowd(), types.TYPES[KIND]
        people.choose(account, KIND, count=people.OVERRIDES, chosen=4, on=0)
        members = list(account.members.order_by("id").values_list("id", flat=True))
        _tables()
        load_before = load()
        ours, fat, bare = [], [], []
        for i in range(REPEATS + 1):
            event = events.emit(kind, audience=events.Audience(everyone=True), account=account, data=dict(kind.example))
            rows = _rows(event, members)
            took = [settled(fanout.run_due), settled(_copy, "", rows), settled(_copy, "_bare", rows)]
            event.refresh_from_db()
            assert event.recipients == len(members), event.recipients
            assert Notification.objects.filter(event=event).count() == len(members)
            if i:  # the first one warms up all three
                for samples, seconds in zip((ours, fat, bare), took, strict=True):
                    samples.append(len(members) / seconds)
            say(f"  fan-out {took[0]:.2f} s, COPY {took[1]:.2f} s, COPY without foreign keys {took[2]:.2f} s")
        _drop()
        return [
            Figure(
                name="fanout",
                what="one event to 100,000 members, 20,000 of them with a choice of their own: claimed → committed",
                value=median(ours),
                unit="rows/s",
                yardstick=median(fat),
                yardstick_what="raw COPY of as many full rows: primary key, 2 indexes, 2 foreign keys",
                goal="≥ 2 ×",
                is_met=median(ours) >= 2 * median(fat),
                load=load_before,
                samples=ours,
                details={"yardstick_samples": fat, "batch": fanout.BATCH},
            ),
            Figure(
                name="fanout_bare",
                what="the same, against a table without foreign keys",
                value=median(ours),
                unit="rows/s",
                yardstick=median(bare),
                yardstick_what="raw COPY of as many full rows: primary key, 2 indexes, no foreign key",
                load=load_before,
                samples=ours,
                details={"yardstick_samples": bare},
            ),
        ]


def settled(work: Any, *given: Any) -> float:
    """Time it after a checkpoint, so that nobody pays for what the one before has left to write."""
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    return timed(lambda: work(*given))


def _tables() -> None:
    _drop()
    with connection.cursor() as cursor:
        cursor.execute(
            FAT.format(
                suffix="", member="REFERENCES accounts_membership (id)", event="REFERENCES notifications_event (id)"
            )
        )
        cursor.execute(FAT.format(suffix="_bare", member="", event=""))


def _drop() -> None:
    with connection.cursor() as cursor:
        cursor.execute("DROP TABLE IF EXISTS bench_fat, bench_fat_bare")


def _rows(event: Event, members: list[int]) -> list[bytes]:
    """The text of the COPY, in pieces of about 64 KiB: making it is not what is measured."""
    data = json.dumps(event.data).replace("\\", "\\\\")
    told = f"{event.pk}\t{event.type}\tAnn moved “Nordic Oak 2027” to Contract sent\t\t{event.data['url']}\t{data}\t5"
    lines = [f"{member}\t{told}\n" for member in members]
    return ["".join(lines[i : i + 250]).encode() for i in range(0, len(lines), 250)]


def _copy(suffix: str, rows: list[bytes]) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY bench_fat{suffix} ({COLUMNS}) FROM STDIN") as copy:
        for piece in rows:
            copy.write(piece)
