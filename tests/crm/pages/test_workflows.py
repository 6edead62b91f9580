"""The pages of workflows: composing one with nothing lost, its state, its log, a trial, the workflows of a record."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts.models import Account, Membership
from crm import defining, records
from crm.models import Enrolment, EnrolmentState, Record, Workflow, WorkflowState
from crm.workflows import drafting, enrolling, running, writing

HUB = "/1001/workflows/"


@pytest.fixture
def workflow(account, alice):
    Account.objects.filter(pk=account.pk).update(plan="professional")
    account.refresh_from_db()
    return writing.create(account, "contacts", "Welcome", alice)


@pytest.fixture
def complete(workflow, alice):
    """One that notifies the owner when a contact is made; it is off."""
    writing.change(workflow, trigger={"on": "created"}, by=alice)
    writing.save_steps(workflow, [notice()], alice)
    workflow.refresh_from_db()
    return workflow


def notice(step_id="s1", **given):
    return {"id": step_id, "do": "notify", "subject": "Hello", "message": "A new one.", "owner": True} | given


def page_of(workflow):
    return f"{HUB}{workflow.pk}/"


def fields_of(answer):
    """What the form of the editor holds, as a browser would post it."""
    html = answer.content.decode()
    form = html[html.index('id="workflow-form"') : html.index("</form>", html.index('id="workflow-form"'))]
    form = re.sub(r"<template.*?</template>|<noscript>.*?</noscript>", "", form, flags=re.S)
    given: dict[str, list[str]] = {}
    for tag in re.findall(r"<input [^>]*>", form):
        name, kind = re.search(r' name="([^"]*)"', tag), re.search(r' type="([^"]*)"', tag)
        if not name or (kind and kind[1] == "checkbox" and " checked" not in tag):
            continue
        value = re.search(r' value="([^"]*)"', tag)
        given.setdefault(name[1], []).append(value[1] if value else "on")
    for name, inner in re.findall(r'<textarea [^>]*name="([^"]*)"[^>]*>(.*?)</textarea>', form, flags=re.S):
        given.setdefault(name, []).append(inner)
    for tag, inner in re.findall(r"(<select [^>]*>)(.*?)</select>", form, flags=re.S):
        name = re.search(r' name="([^"]*)"', tag)
        options = re.findall(r'<option value="([^"]*)"([^>]*)>', inner)
        chosen = [value for value, rest in options if "selected" in rest] or [value for value, _rest in options[:1]]
        if name:
            given.setdefault(name[1], []).extend(chosen)
    return given


def press(browser, workflow, op, answer=None, **written):
    """Press a button of the editor, with what its form holds and what was written on top."""
    held = fields_of(answer or browser.get(page_of(workflow)))
    return browser.post(page_of(workflow), held | {"op": op} | written, HTTP_HX_REQUEST="true")


def test_a_workflow_is_composed_turned_on_and_listed(signed_in, workflow, alice):
    browser = signed_in(alice)
    there = press(browser, workflow, "redraw", **{"trigger-on": "created"})
    there = press(browser, workflow, "add notify root 0", there)
    assert 'data-focus="s1-fields"' in there.content.decode()
    there = press(browser, workflow, "add wait root 1", there, **{"s1-subject": "Hello", "s1-message": "A new one."})
    there = press(browser, workflow, "turn_on", there)

    workflow.refresh_from_db()
    assert "Saved and turned on." in there.content.decode()
    assert workflow.state == WorkflowState.ON
    assert workflow.trigger == {"on": "created"}
    assert [step["do"] for step in workflow.steps] == ["notify", "wait"]
    assert workflow.steps[0]["owner"] is True
    listed = browser.get(HUB).content.decode()
    assert "A record is created" in listed
    assert "Welcome" in listed


def test_what_is_incomplete_is_named_beside_its_place_and_nothing_is_lost(signed_in, workflow, alice):
    browser = signed_in(alice)
    there = press(browser, workflow, "add task root 0")
    there = press(browser, workflow, "turn_on", there, **{"s1-due_in_days": "soon", "s1-name": "Call\u202e them 🙂"})
    html = there.content.decode()

    assert "Write a whole number" in html
    assert 'value="soon"' in html
    assert "Call\u202e them 🙂" in html
    assert 'data-focus="s1-head"' in html
    workflow.refresh_from_db()
    assert workflow.state == WorkflowState.OFF
    assert workflow.steps == []


def test_without_a_trigger_it_stays_off_and_says_so(signed_in, workflow, alice):
    browser = signed_in(alice)
    there = press(browser, workflow, "turn_on")

    assert "Choose what enrols records." in there.content.decode()
    assert "Add at least one step." in there.content.decode()
    workflow.refresh_from_db()
    assert workflow.state == WorkflowState.OFF


def test_every_kind_of_step_is_kept_as_it_was_written(signed_in, workflow, alice, bob, team):
    browser = signed_in(alice)
    there = press(browser, workflow, "redraw", **{"trigger-on": "schedule"})
    there = press(browser, workflow, "redraw", there, **{"trigger-every": "week"})
    held = {"trigger-weekday": "2", "trigger-at": "07:30", "reenrols": "on"}
    held |= {"where-0-property": "city", "where-0-operator": "is", "where-0-value": "Oslo"}
    for index, do in enumerate(("notify", "assign", "rotate", "set", "task", "wait", "branch")):
        there = press(browser, workflow, f"add {do} root {index}", there, **(held if do == "notify" else {}))
    there = press(browser, workflow, "add wait s7.no 0", there)
    written = {"s1-subject": "Hello", "s1-message": "A new one.", "s1-teams": [str(team.pk)], "s1-members": [bob.pk]}
    written |= {
        "s2-member": bob.pk,
        "s3-members": [alice.pk, bob.pk, ""],
        "s4-property": "city",
        "s4-value-city": "Oslo",
    }
    written |= {"s5-name": "Call", "s5-due_in_days": "3", "s6-amount": "2", "s6-unit": "hours"}
    written |= {"s7-where-4-property": "city", "s7-where-4-operator": "is_empty", "s8-amount": "5"}
    there = press(browser, workflow, "save", there, **written)

    assert "Saved." in there.content.decode()
    workflow.refresh_from_db()
    assert workflow.trigger == {"on": "schedule", "every": "week", "weekday": 2, "at": "07:30"}
    assert workflow.conditions == [{"property": "city", "operator": "is", "value": "Oslo"}]
    assert workflow.reenrols
    assert workflow.steps == [
        notice(teams=[team.pk], members=[bob.pk]),
        {"id": "s2", "do": "assign", "member": bob.pk},
        {"id": "s3", "do": "rotate", "members": [alice.pk, bob.pk]},
        {"id": "s4", "do": "set", "property": "city", "value": "Oslo"},
        {"id": "s5", "do": "task", "name": "Call", "due_in_days": 3, "member": "owner"},
        {"id": "s6", "do": "wait", "amount": 2, "unit": "hours"},
        {
            "id": "s7",
            "do": "branch",
            "conditions": [{"property": "city", "operator": "is_empty"}],
            "yes": [],
            "no": [{"id": "s8", "do": "wait", "amount": 5, "unit": "days"}],
        },
    ]
    again = press(browser, workflow, "save", browser.get(page_of(workflow)))
    assert "Saved." in again.content.decode()
    assert workflow.versions.count() == 1  # what the page shows is what is kept


def test_what_is_wrong_with_a_filter_stands_beside_it(signed_in, complete, alice):
    wrong = {"where-0-property": "annual_revenue", "where-0-operator": "is", "where-0-value": "much"}
    wrong |= {"where-1-property": "city", "where-1-operator": "is", "where-1-value": ""}
    html = press(signed_in(alice), complete, "save", **wrong).content.decode()

    assert 'id="where-1-problems"' in html
    assert "Give a value to compare with." in html
    complete.refresh_from_db()
    assert complete.conditions == []


def test_branches_too_deep_are_refused_beside_the_step(signed_in, workflow, alice):
    browser = signed_in(alice)
    there = press(browser, workflow, "add branch root 0")
    for depth in range(1, 7):
        there = press(browser, workflow, f"add branch s{depth}.yes 0", there)
    there = press(browser, workflow, "save", there)

    assert "Branches stand in branches at most 5 deep." in there.content.decode()


def test_all_that_match_are_enrolled_from_the_log(signed_in, complete, alice, bob, made):
    made(first_name="Mia", owner=alice.pk)
    path = f"{page_of(complete)}log/enrol-all/"
    assert signed_in(bob).post(path).status_code == 403
    browser = signed_in(alice)
    assert "Turn the workflow on first" in browser.post(path, follow=True).content.decode()
    running.turn_on(complete, alice)

    assert "Enrolling all that match: 0 so far." in browser.post(path, follow=True).content.decode()
    while running.step():
        pass

    assert Enrolment.objects.get().state == EnrolmentState.DONE


def test_a_removed_step_comes_back_with_undo(signed_in, complete, alice):
    browser = signed_in(alice)
    there = press(browser, complete, "remove s1")
    assert "The step is removed." in there.content.decode()
    assert 'value="s1 notify root"' not in there.content.decode()

    there = press(browser, complete, "undo", there)

    assert 'value="s1 notify root"' in there.content.decode()
    assert drafting.of(complete).steps[0]["subject"] == "Hello"
    forged = press(browser, complete, "undo", there, removed="not signed")
    assert forged.status_code == 200


@pytest.mark.parametrize("way", ["refused", "in between", "paused"])
def test_undo_stays_until_it_is_saved(signed_in, complete, alice, way):
    running.turn_on(complete, alice)
    browser = signed_in(alice)
    there = press(browser, complete, "remove s1")
    if way == "in between":
        writing.change(complete, name="Theirs", by=alice)

    there = press(browser, complete, "pause" if way == "paused" else "save", there, changed="1")
    said = {"refused": "Keep at least one step", "in between": "in the meantime", "paused": "It is paused."}
    assert said[way] in there.content.decode()
    there = press(browser, complete, "undo", there)

    assert 'value="s1 notify root"' in there.content.decode()


def test_two_people_at_once_the_second_is_told_and_may_overwrite_on_purpose(signed_in, complete, alice):
    browser = signed_in(alice)
    opened = browser.get(page_of(complete))
    writing.save_steps(complete, [notice(subject="Theirs")], alice)

    there = press(browser, complete, "save", opened, **{"s1-subject": "Mine"})
    html = there.content.decode()
    assert "in the meantime" in html
    assert "by Alice" in html
    assert "m.." not in html
    assert 'value="Mine"' in html
    assert Workflow.objects.get(pk=complete.pk).steps[0]["subject"] == "Theirs"
    still = press(browser, complete, "save", there)
    assert "in the meantime" in still.content.decode()

    press(browser, complete, "save_over", there)

    assert Workflow.objects.get(pk=complete.pk).steps[0]["subject"] == "Mine"


def test_pausing_keeps_what_is_being_written(signed_in, complete, alice):
    running.turn_on(complete, alice)
    browser = signed_in(alice)

    there = press(browser, complete, "pause", changed="1", **{"s1-subject": "Not saved"})

    html = there.content.decode()
    assert "It is paused." in html
    assert 'value="Not saved"' in html
    assert "data-changed" in html
    complete.refresh_from_db()
    assert complete.state == WorkflowState.PAUSED
    assert complete.steps[0]["subject"] == "Hello"
    press(browser, complete, "turn_off")
    complete.refresh_from_db()
    assert complete.state == WorkflowState.OFF


def test_turning_off_asks_first_when_records_are_under_way(signed_in, complete, alice, made):
    running.turn_on(complete, alice)
    browser = signed_in(alice)
    assert '<dialog id="turn-off"' not in browser.get(page_of(complete)).content.decode(), "nothing is lost"
    enrolling.enrol(complete, made(first_name="Mia"), alice)

    asked = browser.get(page_of(complete)).content.decode()

    assert 'id="op-turn_off" commandfor="turn-off" command="show-modal"' in asked
    assert asked.count('name="op" value="turn_off"') == 1, "only within the dialog"
    assert "1 record is under way in it and is taken out." in asked
    assert "Pause it instead" in asked
    running.pause(complete, alice)
    assert "Turned on again, what is under way would go on." in browser.get(page_of(complete)).content.decode()
    there = press(browser, complete, "turn_off").content.decode()
    assert "It is off." in there
    assert '<dialog id="turn-off"' not in there


def test_a_member_looks_and_changes_nothing(signed_in, complete, bob):
    browser = signed_in(bob)
    html = browser.get(page_of(complete)).content.decode()

    assert "Super admins change workflows." in html
    assert 'name="op"' not in html
    assert '<fieldset class="stack" disabled>' in html
    for op in ("save", "turn_on", "add notify root 0", "remove s1"):
        assert browser.post(page_of(complete), {"op": op}).status_code == 403
    assert browser.post(f"{page_of(complete)}delete/").status_code == 403
    assert browser.post(f"{HUB}new/", {"name": "Mine", "kind": "contacts"}).status_code == 403
    complete.refresh_from_db()
    assert (complete.state, complete.deleted_at, Workflow.objects.count()) == (WorkflowState.OFF, None, 1)


@pytest.mark.parametrize("plan", ["free", "starter"])
def test_a_plan_without_workflows_shows_it_and_refuses(signed_in, complete, alice, plan):
    Account.objects.update(plan=plan)
    browser = signed_in(alice)
    sentence = "Workflows: available on Professional, Enterprise."

    assert sentence in browser.get(HUB).content.decode()
    assert f'href="{HUB}new/"' not in browser.get(HUB).content.decode()
    assert browser.post(f"{HUB}new/", {"name": "Mine", "kind": "contacts"}).status_code == 403
    assert sentence in press(browser, complete, "turn_on").content.decode()
    complete.refresh_from_db()
    assert complete.state == WorkflowState.OFF


def test_without_the_plan_what_is_on_is_said_to_wait(signed_in, complete, alice, made):
    running.turn_on(complete, alice)
    enrolling.enrol(complete, made(first_name="Mia"), alice)
    browser = signed_in(alice)
    assert "waits for the plan" not in browser.get(HUB).content.decode()
    Account.objects.update(plan="starter")

    log = browser.get(f"{page_of(complete)}log/").content.decode()

    assert '<button type="button" class="button" disabled aria-describedby="plan">Enrol all that match' in log
    assert 'id="plan"' in log
    assert '<dialog id="enrol-all"' not in log
    assert "It waits until the plan has workflows." in log
    assert "The next step is due" not in log
    assert "waits for the plan" in browser.get(HUB).content.decode()
    assert "waits for the plan" in browser.get(page_of(complete)).content.decode()


def test_a_new_one_is_named_once_and_keeps_what_was_written(signed_in, workflow, alice):
    browser = signed_in(alice)
    taken = browser.post(f"{HUB}new/", {"name": "Welcome", "kind": "deals"})
    assert taken.status_code == 422
    assert "Another workflow has this name." in taken.content.decode()
    assert 'value="Welcome"' in taken.content.decode()
    assert browser.post(f"{HUB}new/", {"name": "x", "kind": "zebras"}).status_code == 422

    made = browser.post(f"{HUB}new/", {"name": "Farewell", "kind": "deals"})

    assert made["Location"] == f"{HUB}{Workflow.objects.latest('pk').pk}/"


def test_the_list_puts_what_needs_review_first_and_says_why(signed_in, workflow, complete, alice):
    other = writing.create(alice.account, "deals", "Abandoned", alice)
    Workflow.objects.filter(pk=complete.pk).update(state="review", review_reason="The list is gone.")

    html = signed_in(alice).get(HUB).content.decode()

    assert html.index("Welcome") < html.index(other.name)
    assert "The list is gone." in html


def test_in_review_the_editor_shows_where_the_fault_is(signed_in, complete, alice, bob):
    writing.save_steps(complete, [notice(), {"id": "give", "do": "assign", "member": bob.pk}], alice)
    running.turn_on(complete, alice)
    Membership.objects.filter(pk=bob.pk).update(is_active=False)
    browser = signed_in(alice)
    assert "Not complete" not in browser.get(page_of(complete)).content.decode()

    Workflow.objects.filter(pk=complete.pk).update(state="review", review_reason="Somebody left.")
    html = browser.get(page_of(complete)).content.decode()

    assert html.count("Not complete") == 1
    assert re.search(r'<details data-step="give" open>', html)
    assert "Choose an active member of the account." in html


def test_an_empty_list_explains(signed_in, account, alice):
    assert "No workflows yet" in signed_in(alice).get(HUB).content.decode()


def test_deleting_takes_it_from_the_list(signed_in, complete, alice):
    browser = signed_in(alice)
    browser.post(f"{page_of(complete)}delete/")

    assert "is deleted." in browser.get(HUB).content.decode()
    assert browser.get(page_of(complete)).status_code == 404


def test_who_writes_while_it_is_deleted_is_told_and_keeps_what_they_wrote(signed_in, complete, alice):
    browser = signed_in(alice)
    given = fields_of(browser.get(page_of(complete))) | {"name": "Written for an hour"}
    writing.delete(complete, alice)

    for op in ("save", "turn_on", "pause"):
        answer = browser.post(page_of(complete), given | {"op": op})
        assert answer.status_code == 422
        assert "This workflow was deleted in the meantime." in answer.content.decode()
        assert fields_of(answer)["name"] == ["Written for an hour"]
    assert browser.post(f"{page_of(complete)}delete/").status_code == 302
    assert browser.get(page_of(complete)).status_code == 404


def test_a_record_is_not_enrolled_in_what_was_deleted_meanwhile(signed_in, complete, alice, made):
    record = made(first_name="Mia")
    writing.delete(complete, alice)
    browser = signed_in(alice)

    browser.post(f"/1001/contacts/{record.pk}/workflows/", {"workflow": complete.pk})

    assert "This workflow was deleted in the meantime." in browser.get(f"/1001/contacts/{record.pk}/").content.decode()


@pytest.fixture
def ran(complete, alice, made):
    running.turn_on(complete, alice)
    enrolments = [enrolling.enrol(complete, made(first_name=f"Mia {i}", owner=alice.pk), alice) for i in range(3)]
    while running.step():
        pass
    return enrolments


def test_the_log_tells_what_was_done_with_each_record(signed_in, complete, ran, alice):
    html = signed_in(alice).get(f"{page_of(complete)}log/").content.decode()

    assert html.index("Mia 2") < html.index("Mia 0")
    assert "1 member was told: “Hello”." in html
    assert "went through" in html


def test_records_are_counted_when_the_editor_is_opened_and_saved_but_not_at_each_move(signed_in, complete, ran, alice):
    browser = signed_in(alice)
    opened = browser.get(page_of(complete))
    assert "0 enrolled now" in opened.content.decode()
    assert "3 passed" in opened.content.decode()

    with CaptureQueriesContext(connection) as asked:
        there = press(browser, complete, "add wait root 1", opened)
    assert not [one["sql"] for one in asked if "COUNT(" in one["sql"] and "enrolment" in one["sql"]]
    assert not [one["sql"] for one in asked if "crm_actionrun" in one["sql"]]
    assert 'id="numbers-s1" hx-preserve' in there.content.decode(), "the page keeps those that it has"
    assert "Records that are under way in it are taken out." in there.content.decode(), "turning off asks all the same"

    saved = press(browser, complete, "save", there)
    assert "3 passed" in saved.content.decode()
    assert "hx-preserve" not in saved.content.decode()


def test_the_log_leads_to_no_record_that_is_gone(signed_in, complete, ran, alice):
    browser, log = signed_in(alice), f"{page_of(complete)}log/"
    assert browser.get(log).content.decode().count("Open the record") == 3

    records.delete(ran[0].record, by=alice)

    html = browser.get(log).content.decode()
    assert "Mia 0" in html
    assert html.count("Open the record") == 2


def test_the_log_is_narrowed_by_state_and_goes_on_where_it_ended(signed_in, complete, ran, alice, monkeypatch):
    monkeypatch.setattr("crm.workflows.logbook.PAGE", 2)
    browser, log = signed_in(alice), f"{page_of(complete)}log/"

    assert "No record is in this state." in browser.get(log, {"state": "failed"}).content.decode()
    first = browser.get(log, {"state": "done"}).content.decode()
    following = re.search(r'hx-get="([^"]*)"', first[first.index("load-more") :])[1].replace("&amp;", "&")
    rest = browser.get(following, HTTP_HX_REQUEST="true").content.decode()
    assert "Mia 0" not in first
    assert "Mia 0" in rest
    assert "<html" not in rest
    assert "load-more" not in rest


def test_a_test_says_what_would_happen_and_changes_nothing(signed_in, complete, alice, made):
    record = made(first_name="Mia", owner=alice.pk)
    browser = signed_in(alice)

    assert "Mia" in browser.get(f"{page_of(complete)}test/", {"q": "mia"}).content.decode()
    html = browser.get(f"{page_of(complete)}test/", {"record": record.pk}).content.decode()

    assert "All filters hold" in html
    assert "1 member was told: “Hello”." in html
    assert not Enrolment.objects.exists()
    assert browser.get(f"{page_of(complete)}test/", {"record": 10**15}).status_code == 404


def test_a_test_says_so_when_what_a_filter_names_is_gone(signed_in, complete, alice, made):
    colour = defining.define_property(alice.account, "contacts", key="colour", label="Colour", type="text", by=alice)
    writing.change(complete, conditions=[{"property": "colour", "operator": "is", "value": "red"}], by=alice)
    defining.archive_property(colour, by=alice)

    answer = signed_in(alice).get(f"{page_of(complete)}test/", {"record": made(first_name="Mia").pk})

    assert answer.status_code == 200
    html = answer.content.decode()
    assert "Mend its filters first" in html
    assert "Contact has no such property." in html
    assert "Mia" in html
    assert "would be enrolled" not in html


def test_a_record_is_enrolled_by_hand_from_its_page(signed_in, complete, alice, bob, made):
    running.turn_on(complete, alice)
    record = made(first_name="Mia")
    browser, panel = signed_in(bob), f"/1001/contacts/{record.pk}/workflows/"
    assert panel in browser.get(f"/1001/contacts/{record.pk}/").content.decode()
    assert "Welcome" in browser.get(panel).content.decode()

    browser.post(panel, {"workflow": complete.pk})
    browser.post(panel, {"workflow": complete.pk})

    assert Enrolment.objects.get().state == EnrolmentState.WAITING
    page = browser.get(f"/1001/contacts/{record.pk}/").content.decode()
    assert "The record is enrolled in “Welcome”." in page
    assert "The record is in this workflow already." in page
    assert "under way" in browser.get(panel).content.decode()


def test_a_record_is_taken_out_by_a_super_admin_only(signed_in, complete, alice, bob, made):
    running.turn_on(complete, alice)
    enrolment = enrolling.enrol(complete, made(first_name="Mia"), alice)
    out = f"{page_of(complete)}log/{enrolment.pk}/cancel/"

    assert signed_in(bob).post(out).status_code == 403
    assert signed_in(alice).post(out).status_code == 302
    enrolment.refresh_from_db()
    assert enrolment.state == EnrolmentState.CANCELLED


def test_pages_cost_the_same_however_much_there_is(
    signed_in, complete, ran, alice, made, django_assert_max_num_queries
):
    steps = [notice(f"s{n}") for n in range(1, 20)]
    steps += [{"id": f"t{n}", "do": "set", "property": "city", "value": "Oslo"} for n in range(10)]
    writing.save_steps(complete, steps, alice)
    for n in range(10):
        writing.change(
            writing.create(alice.account, "contacts", f"No. {n}", alice), trigger={"on": "created"}, by=alice
        )
    browser = signed_in(alice)
    for path in (HUB, page_of(complete), f"{page_of(complete)}log/"):
        with django_assert_max_num_queries(20):
            assert browser.get(path).status_code == 200
    record = Record.objects.filter(kind="contacts").latest("pk")
    with django_assert_max_num_queries(12):
        browser.get(f"/1001/contacts/{record.pk}/workflows/")
