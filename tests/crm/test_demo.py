"""The demo company has records worth looking at, made once."""

from collections import Counter

from django.core.management import call_command

from crm import duplicates
from crm.models import Activity, AssignmentWindow, DigestRun, Duplicate, Enrolment, ImportJob, Record, Workflow
from notifications.models import Event


def test_the_demo_has_some_hundreds_of_records_and_news_for_bob(db):
    call_command("demo")
    made = Counter(Record.objects.values_list("kind", flat=True))
    while duplicates.check_some():
        pass
    call_command("demo")

    assert sum(made.values()) == Record.objects.count() > 300
    assert set(made) == {"contacts", "companies", "deals", "tickets", "leads", "tasks", "showrooms"}
    assert Activity.objects.count() > 20
    assert Duplicate.objects.exists()
    assert not AssignmentWindow.objects.filter(closed_at=None).exists()
    assert DigestRun.objects.filter(outcome="told", overdue__gt=0).count() == 2
    assert dict(Workflow.objects.values_list("kind", "state")) == {"tickets": "on", "companies": "paused"}
    assert set(Enrolment.objects.values_list("state", "at")) == {("waiting", "s6")}, "all of it has fired, but the last"
    assert Event.objects.filter(type="workflows.notified").count() == Enrolment.objects.count() == 3
    assert ImportJob.objects.get().outcomes == {"created": 17, "refused": 1}
    words = Event.objects.filter(type="general.records_assigned").values_list("data", flat=True)
    assert any("contacts" in data["records"] and "tasks" in data["records"] for data in words)
