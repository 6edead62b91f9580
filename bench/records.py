"""The list of contacts in an account with 1,000,000 of them, over HTTP: first page, deep page, search, by owner."""

from urllib.parse import urlencode

from django.db import connection
from django.urls import reverse

from accounts.models import Account, Membership
from bench import page, people, processes, services
from bench.figure import Figure, load, median, percentile, say, timed
from crm import listing
from crm.models import Record

ROWS = 1_000_000
FEW = 100
MEMBERS = 200
DEEP = 900_000
MOST = 100  # milliseconds
FIRST = "{Mia,Tomas,Anna,Yusuf,Ingrid,Oskar,Lena,Bo,Eva,Karim,Nora,Emil,Sara,Hugo,Alva,Leo,Maja,Otto,Elsa,Nils}"
LAST = "{Lind,Berg,Dahl,Ek,Holm,Strand,Falk,Nord,Sund,Vik,Moen,Haug,Lie,Bakke,Solberg,Hagen,Aas,Ruud,Foss,Krog}"


def run() -> list[Figure]:
    """40 requests of each page, one after the other; the same in an account with 100 contacts is the yardstick."""
    with services.running():
        large, small = people.account(900_005, members=MEMBERS), people.account(900_006, members=MEMBERS)
        took = timed(lambda: _contacts({large: ROWS, small: FEW}))
        say(f"{ROWS:,} contacts written and indexed in {took:.0f} s")
        load_before = load()
        members = [account.members.select_related("user").order_by("id")[0] for account in (large, small)]
        sessions = people.sign_in(members)
        figures = []
        with processes.web() as web:
            for name, query in _queries(large, members[0]).items():
                paths = [_path(large, query), _path(small, {} if "after" in query else query)]
                took_large, took_small = (
                    page._requests(web.port, path, session) for path, session in zip(paths, sessions, strict=True)
                )
                figures.append(
                    Figure(
                        name=f"records_{name}",
                        what=f"contacts/?{urlencode(query)[:40]} among {ROWS:,} contacts",
                        value=median(took_large),
                        unit="ms",
                        yardstick=median(took_small),
                        yardstick_what=f"the same page in an account with {FEW} contacts",
                        goal=f"≤ {MOST} ms",
                        is_met=median(took_large) <= MOST,
                        load=load_before,
                        samples=[round(ms, 2) for ms in took_large],
                        details={
                            "queries": page._queries(paths[0], sessions[0]),
                            "p99_ms": percentile(took_large, 0.99),
                            "generated_s": round(took, 1),
                        },
                    )
                )
        return figures


def _queries(account: Account, member: Membership) -> dict[str, dict[str, str]]:
    """What each page asks for: the first, one behind 900,000 others, words that few and that many hold, an owner's."""
    contacts = Record.objects.live().of(account, "contacts")
    last = contacts.order_by("-updated_at", "-id")[DEEP]
    return {
        "first": {},
        "deep": {"after": listing.cursor(last)},
        "search_few": {"q": "lind 77777"},
        "search_many": {"q": "mia lind"},
        "owner": {"owner": str(member.pk)},
        "owner_by_name": {"owner": str(member.pk), "sort": "title"},
    }


def _path(account: Account, query: dict[str, str]) -> str:
    return f"{reverse('crm:index', kwargs={'hub_id': account.hub_id, 'kind': 'contacts'})}?{urlencode(query)}"


def _contacts(numbers: dict[Account, int]) -> None:
    """So many contacts in each account by INSERT … SELECT; the indexes are built behind it, as a large load does."""
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE crm_record CASCADE")
        cursor.execute(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'crm_record' AND indexname NOT IN "
            "(SELECT conname FROM pg_constraint WHERE conrelid = 'crm_record'::regclass)"
        )
        indexes = cursor.fetchall()
        for name, _made_by in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        for account, number in numbers.items():
            cursor.execute(_INSERT, {"account": account.pk, "rows": number, "first": FIRST, "last": LAST})
        cursor.execute("SET maintenance_work_mem = '256MB'")
        for _name, made_by in indexes:
            cursor.execute(made_by)
        cursor.execute("VACUUM ANALYZE crm_record")


_INSERT = """
    WITH members AS (
        SELECT array_agg(id ORDER BY id) AS ids FROM accounts_membership WHERE account_id = %(account)s
    ), named AS (
        SELECT i, (%(first)s::text[])[1 + mixed %% 20] AS first,
               (%(last)s::text[])[1 + mixed / 20 %% 20] || i %% 100000 AS last,
               ids[1 + mixed / 400 %% cardinality(ids)] AS owner
        FROM (SELECT i, abs(hashint8(i)::bigint) AS mixed FROM generate_series(1, %(rows)s) i) mixed, members
    )
    INSERT INTO crm_record (account_id, kind, title, owner_id, people, address, domain, values, search, sort_title,
        match_keys, to_check, source, created_at, updated_at, version)
    SELECT %(account)s, 'contacts', first || ' ' || last, owner, ARRAY[owner],
        'p' || i || '@example.com', 'example.com',
        jsonb_build_object('first_name', first, 'last_name', last, 'phone', '+46 8 ' || 1000000 + i, 'city', 'Oslo'),
        lower('  ' || first || '  ' || last || '  p' || i || '@example.com  +46  8  ' || 1000000 + i || '  oslo'),
        lower(first || ' ' || last), '{}', false, 'import', at, at, 1
    FROM (SELECT *, now() - make_interval(secs => %(rows)s - i) AS at FROM named) rows
"""
