"""Some hundreds of records for the demo company Nordic Oak: what a first look should find."""

from datetime import timedelta

from django.utils import timezone

from accounts.models import Account, Membership, Team
from crm import (
    activities,
    assigning,
    associating,
    defining,
    following,
    form_submissions,
    happenings,
    mentioning,
    records,
    stages,
)
from crm.digests import schedules, sending_now
from crm.filtering import Condition
from crm.importing import deciding
from crm.importing import running as importing
from crm.kinds import BUILT_IN
from crm.lists import adding, making, processing
from crm.models import Record
from crm.searching import folded
from crm.workflows import running, writing
from notifications.types.base import ASSIGNMENT_WINDOW

COMPANIES = (
    "Fjordline Logistics", "Marlow & Finch", "Hofmann Bakeries", "Bergen Boatworks", "Lindgren Furniture",
    "Okafor Textiles", "Alder & Ash", "Saltmarsh Seafood", "Rossi Ceramics", "Pratama Coffee", "Västra Glass",
    "Haddad Olive Oil", "Cedar Street Books", "Polaris Optics", "Brightwater Dairy", "Kestrel Couriers",
    "Maple Row Hotels", "Juniper Distillers", "Stonebridge Cement", "Tern Island Ferries",
)  # fmt: skip
FIRST = (
    "Mia", "Tomás", "Grace", "Bilal", "Chiara", "Dewi", "Erik", "Freya", "Hugo", "Ines", "Jonas", "Keiko", "Lars",
    "Maryam", "Nils", "Olivia", "Pavel",
)  # fmt: skip
LAST = (
    "Lind", "Ferreira", "Okafor", "Haddad", "Ricci", "Pratama", "Holm", "Nilsen", "Moreau", "Costa", "Berger",
    "Tanaka", "Vik", "Farouk", "Åkesson", "Byrne", "Novák", "Sørensen", "Quinn",
)  # fmt: skip
CITIES = (("Bergen", "Norway"), ("Malmö", "Sweden"), ("Hamburg", "Germany"), ("Porto", "Portugal"), ("Cork", "Ireland"))
WANTS = ("Oak shelves", "Meeting tables", "Showroom floor", "Counter and stools", "Reading room", "Office desks")
TROUBLES = (
    "Table arrived with a scratch", "Where is order 20418?", "Wrong shade of oak", "Invoice shows the old address",
    "Screws are missing", "Please call before delivery", "Chair wobbles", "Return of two lamps",
)  # fmt: skip
TO_DO = ("Call back", "Send the revised offer", "Book the fitter", "Check the invoice", "Prepare the workshop")
JOBS = ("Buyer", "Architect", "Office manager", "Owner", "Head of purchasing")
LIFECYCLES = ("subscriber", "lead", "opportunity", "customer")


def load() -> None:
    """Make the records of Nordic Oak, through the same functions as everybody, and tell what was assigned at once."""
    oak = Account.objects.get(hub_id=1001)
    people = list(Membership.objects.active().of(oak).select_related("user", "account").order_by("pk"))
    alice = people[0]
    companies = _companies(oak, by=alice)
    contacts = _contacts(oak, companies, by=alice)
    deals = _deals(oak, people, companies, contacts, by=alice)
    _tickets(oak, people, contacts, by=alice)
    for number, record in enumerate([*companies, *contacts]):  # after they were associated, which owners hear of
        if number % 3:
            records.assign(record, to=people[number % len(people)], by=alice)
    for number in (3, 14, 40):
        page, given = "nordicoak.example/offer", {"description": WANTS[number % len(WANTS)]}
        form_submissions.submit(oak, form="Ask for a quote", page=page, address=contacts[number].address, given=given)
    _leads(oak, people, by=alice)
    _tasks(oak, people, by=alice)
    _showrooms(oak, people, by=alice)
    _lists(oak, contacts, by=alice)
    _guests(oak, by=alice)
    _talk(deals, people, Team.objects.get(account=oak, name="Sales"))
    _workflows(oak, people, Team.objects.get(account=oak, name="Sales"))
    assigning.close_due(timezone.now() + ASSIGNMENT_WINDOW)
    for member in people[:2]:  # the task digest, on weekdays, and the first one at once
        schedules.choose(member, frequency="weekdays")
        sending_now.send(member)


def _companies(oak: Account, *, by: Membership) -> list[Record]:
    made = []
    for number, name in enumerate(COMPANIES):
        city, country = CITIES[number % len(CITIES)]
        given = {
            "name": name,
            "domain": f"{_plain(name)}.example",
            "city": city,
            "country": country,
            "employees": 12 + 37 * number,
        }
        made.append(records.create(oak, "companies", given, by=by))
    records.create(oak, "companies", {"name": "Marlow and Finch Ltd", "domain": "marlowfinch.example"}, by=by)  # twice
    return made


def _contacts(oak: Account, companies: list[Record], *, by: Membership) -> list[Record]:
    made = []
    for number in range(160):
        first, last = FIRST[number % len(FIRST)], LAST[number % len(LAST)]
        company = companies[number % len(companies)]
        city, country = CITIES[number % len(CITIES)]
        given: dict[str, object] = {
            "first_name": first,
            "last_name": last,
            "email": f"{_plain(first)}.{_plain(last)}@{company.domain}",
            "phone": f"+46 8 555 {number:04}",
            "job_title": JOBS[number % len(JOBS)],
            "company_name": company.title,
            "lifecycle": LIFECYCLES[number % len(LIFECYCLES)],
            "city": city,
            "country": country,
        }
        contact = records.create(oak, "contacts", given, by=by)
        associating.associate(contact, company, by=by)
        made.append(contact)
    return made


def _deals(
    oak: Account, people: list[Membership], companies: list[Record], contacts: list[Record], *, by: Membership
) -> list[Record]:
    (pipeline,) = stages.pipelines_of(oak, BUILT_IN["deals"])
    steps = list(pipeline.stages.all())
    today = timezone.localdate()
    made = []
    for number in range(48):
        company = companies[number % len(companies)]
        given = {
            "name": f"{company.title}, {WANTS[number % len(WANTS)].lower()}",
            "amount": 1800 + 950 * number,
            "currency": "EUR",
            "close_date": (today + timedelta(days=5 * number - 60)).isoformat(),
            "stage": steps[number % len(steps)].pk,
        }
        deal = records.create(oak, "deals", given, by=by)
        associating.associate(deal, company, by=by)
        associating.associate(deal, contacts[number], by=by)
        made.append(records.assign(deal, to=people[number % len(people)], by=by))
    return made


def _tickets(oak: Account, people: list[Membership], contacts: list[Record], *, by: Membership) -> None:
    (pipeline,) = stages.pipelines_of(oak, BUILT_IN["tickets"])
    steps = list(pipeline.stages.all())
    for number in range(32):
        given = {
            "name": TROUBLES[number % len(TROUBLES)],
            "priority": ("low", "medium", "high", "urgent")[number % 4],
            "stage": steps[number % len(steps)].pk,
        }
        ticket = records.create(oak, "tickets", given, by=by)
        associating.associate(ticket, contacts[number * 3], by=by)
        records.assign(ticket, to=people[(number + 2) % len(people)], by=by)


def _leads(oak: Account, people: list[Membership], *, by: Membership) -> None:
    for number in range(24):
        first, last = FIRST[(number * 3) % len(FIRST)], LAST[(number * 5) % len(LAST)]
        given = {
            "name": f"{first} {last}",
            "email": f"{_plain(first)}{number}@lead.example",
            "came_through": ("the form “Ask for a quote”", "a fair", "a recommendation")[number % 3],
            "status": ("new", "contacted", "qualified", "lost")[number % 4],
            "owner": people[number % len(people)].pk,
        }
        records.create(oak, "leads", given, by=by)


def _tasks(oak: Account, people: list[Membership], *, by: Membership) -> None:
    """Overdue, due in the coming days, and done. None falls due within the first day."""
    nine = timezone.localtime(timezone.now(), people[0].zone).replace(hour=9, minute=0, second=0, microsecond=0)
    for number in range(45):
        days = number % 15 - 5
        given = {
            "name": f"{TO_DO[number % len(TO_DO)]}: {COMPANIES[number % len(COMPANIES)]}",
            "due_at": (nine + timedelta(days=days if days <= 0 else days + 1)).isoformat(),
            "priority": ("low", "medium", "high")[number % 3],
            "owner": people[number % len(people)].pk,
        }
        if days == 0:
            del given["due_at"]
        task = records.create(oak, "tasks", given, by=by)
        if number % 4 == 0:
            records.complete(task, by=by)


def _showrooms(oak: Account, people: list[Membership], *, by: Membership) -> None:
    """A kind of their own, with a custom user property beside the owner."""
    defining.define_kind(oak, key="showrooms", label="Showroom", plural="Showrooms", by=by)
    defining.define_property(oak, "showrooms", key="area", label="Area in m²", type="number", by=by)
    defining.define_property(oak, "showrooms", key="key_holder", label="Key holder", type="user", by=by)
    for number, (city, _country) in enumerate(CITIES):
        given = {"name": f"Showroom {city}", "area": 120 + 30 * number, "key_holder": people[number % len(people)].pk}
        records.create(oak, "showrooms", given, by=by)


def _lists(oak: Account, contacts: list[Record], *, by: Membership) -> None:
    """One that keeps itself up to date, one put together by hand."""
    kind = BUILT_IN["contacts"]
    given = [Condition("lifecycle", "is", "customer"), Condition("country", "is", "Sweden")]
    making.create(oak, kind, name="Customers in Sweden", is_filtered=True, conditions=given, by=by)
    fair = making.create(oak, kind, name="Invited to the spring fair", is_filtered=False, by=by)
    adding.add(fair, [one.pk for one in contacts[:24]], by=by)
    while processing.step():
        pass


def _talk(deals: list[Record], people: list[Membership], sales: Team) -> None:
    """Notes, calls and comments, with a few mentions in them."""
    alice, bob, carol = people[:3]
    for deal in deals[:6]:
        following.follow(deal, bob)
    note = activities.log(deals[0], kind="note", text=f"{mentioning.token(bob)}, legal wants one more week.", by=alice)
    activities.comment(note, text="I told them. They are fine with it.", by=bob)
    activities.log(deals[1], kind="call", subject="Walk through the offer", text="They like the oak.", by=carol)
    activities.log(deals[2], kind="note", text=f"Good news for {mentioning.token(sales)}: they signed.", by=alice)
    for number, deal in enumerate(deals[6:30]):
        kind = ("call", "meeting", "mail", "note")[number % 4]
        text = f"Talked about {WANTS[number % len(WANTS)].lower()}. They will answer next week."
        activities.log(deal, kind=kind, text=text, by=people[(number + 1) % len(people)])
    closing = deals[3].stage
    assert closing is not None
    records.move(deals[0], to=closing.pk, by=carol)


def _workflows(oak: Account, people: list[Membership], sales: Team) -> None:
    """One that runs and has fired, and a paused one."""
    alice, bob, _carol = people[:3]
    (pipeline,) = stages.pipelines_of(oak, BUILT_IN["tickets"])
    closed = list(pipeline.stages.all())[-1]
    urgent = writing.create(oak, "tickets", "High-priority tickets: tell the team and make a task", alice)
    writing.change(
        urgent,
        by=alice,
        trigger={"on": "changed", "property": "priority", "to": "high"},
        conditions=[{"property": "stage", "operator": "is_not", "value": closed.pk}],
        reenrols=True,
    )
    tell = {"do": "notify", "subject": "A ticket has become urgent", "message": "Please look at it today."}
    unowned = [{"property": "owner", "operator": "is_empty"}]
    steps: list[dict[str, object]] = [
        {"do": "branch", "conditions": unowned, "yes": [{"do": "rotate", "members": [alice.pk, bob.pk]}], "no": []},
        {**tell, "teams": [sales.pk], "owner": True},
        {"do": "task", "name": "Call the customer", "due_in_days": 1, "member": "owner"},
        {"do": "wait", "amount": 2, "unit": "days"},
        {**tell, "subject": "Is the urgent ticket solved?", "owner": True},
    ]
    writing.save_steps(urgent, steps, alice)
    running.turn_on(urgent, alice)
    for ticket in Record.objects.live().of(oak, "tickets").filter(values__priority="medium").order_by("pk")[:3]:
        records.change(ticket, {"priority": "high"}, by=bob)
    quiet = writing.create(oak, "companies", "Quiet customers", alice)
    writing.change(quiet, by=alice, trigger={"on": "schedule", "every": "week", "weekday": 0, "at": "08:00"})
    message = "Nobody has changed anything here for a while. Time for a call?"
    writing.save_steps(quiet, [{**tell, "subject": "A quiet customer", "message": message, "owner": True}], alice)
    running.turn_on(quiet, alice)
    running.pause(quiet, alice)
    while happenings.step() or running.step():
        pass


def _guests(oak: Account, *, by: Membership) -> None:
    """A file that was imported, with a row that was refused."""
    lines = ["E-mail;First name;Last name;City", "no address;Udo;Krause;Kiel"]
    for first, last in zip(FIRST, LAST, strict=False):
        lines.append(f"{_plain(first)}.{_plain(last)}@messe.example;{first};{last};Hamburg")
    job = deciding.begin(
        oak, BUILT_IN["contacts"], file="trade-fair.csv", content="\n".join(lines).encode(), by=by, choices={}
    )
    while importing.step():
        pass
    deciding.start(job)
    while importing.step():
        pass


def _plain(name: str) -> str:
    """Letters that every mail address may have."""
    return "".join(c for c in folded(name).replace("ø", "o").replace("æ", "ae") if c.isascii() and c.isalnum())
