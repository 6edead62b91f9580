"""What push services said of an address, kept on its row: the same for browsers and for native devices."""

from collections.abc import Iterable

from django.db import connection

from notifications.models import BrowserSubscription, Device
from notifications.push.sending import Answer, Verdict

ERROR_KEPT = 300  # characters


def learn(answers: Iterable[Answer], model: type[BrowserSubscription] | type[Device], *, address: str) -> None:
    """Only an address that is gone is forgotten, and only while it is still the row's; our own faults prune nothing."""
    taken: set[int] = set()
    gone: dict[int, str] = {}
    words: dict[int, str] = {}
    for answer in answers:
        id_ = answer.job.row_id
        if answer.verdict is Verdict.TAKEN:
            taken.add(id_)
        elif answer.verdict is Verdict.GONE:
            gone[id_] = answer.job.address
        else:
            words[id_] = answer.words.replace("\x00", "")[:ERROR_KEPT]
    if heard := {id_: words.get(id_, "") for id_ in taken | words.keys()}:
        _write_down(model._meta.db_table, heard, taken)
    for id_, where in gone.items():
        model._default_manager.filter(pk=id_, **{address: where}).delete()


def _write_down(table: str, heard: dict[int, str], taken: set[int]) -> None:
    """What went wrong last, or nothing, for each address. In their order: several workers may do so at once."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH known AS MATERIALIZED (
                SELECT b.id, given.words, given.is_taken
                FROM unnest(%s::bigint[], %s::text[], %s::bool[]) AS given(id, words, is_taken)
                JOIN {table} b ON b.id = given.id
                ORDER BY b.id FOR NO KEY UPDATE OF b
            )
            UPDATE {table} b SET last_error = known.words,
                last_error_at = CASE WHEN known.words <> '' THEN statement_timestamp() END,
                last_success_at = CASE WHEN known.is_taken THEN statement_timestamp() ELSE b.last_success_at END
            FROM known WHERE b.id = known.id
            """,
            [list(heard), list(heard.values()), [id_ in taken for id_ in heard]],
        )
