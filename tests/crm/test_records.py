"""Records: made, changed, deleted, restored; every bad property is named; nobody saves over somebody unseen."""

from crm import records
from crm.models import Record


def test_a_contact_is_made(alice, bob):
    record = records.create(
        alice.account,
        "contacts",
        {"first_name": "Mia", "last_name": "Lind", "email": "Mia.Lind@Bücher.example", "owner": bob.pk},
        by=alice,
    )

    assert record.title == "Mia Lind"
    assert record.address == "mia.lind@xn--bcher-kva.example"
    assert record.domain == "xn--bcher-kva.example"
    assert record.people == [bob.pk]
    assert list(Record.objects.live().visible_to(bob)) == [record]
