"""Who works in an account: invited, changed, deactivated, never without a super admin."""

import pytest

from accounts import members, people
from accounts.models import Membership, Permission, Role, Team
from notifications import live
from tests import factories


@pytest.mark.django_db(transaction=True)
def test_deactivating_closes_the_open_sockets_at_once(alice, bob):
    with live.client().pubsub(ignore_subscribe_messages=True) as line:
        line.subscribe(live.channel())
        members.deactivate(bob, by=alice)
        assert heard(line)["members"] == [bob.pk]


@pytest.mark.django_db(transaction=True)
def test_barring_a_person_closes_their_sockets_everywhere(alice, bob, next_door):
    elsewhere = factories.member(next_door, "bob")
    with live.client().pubsub(ignore_subscribe_messages=True) as line:
        line.subscribe(live.channel())
        people.bar(bob.user)
        assert sorted(heard(line)["members"]) == sorted([bob.pk, elsewhere.pk])


def heard(line):
    """The next hint, among those that close sockets."""
    import orjson

    for _try in range(50):
        message = line.get_message(timeout=0.2)
        if message and (hint := orjson.loads(message["data"]))["kind"] == "close":
            return hint
    raise AssertionError("no socket was told to close")


def test_only_a_super_admin_of_the_account_or_the_operator_may(account, alice, bob, carol, mallory):
    for stranger in (carol, mallory):
        for act in (members.deactivate, members.activate):
            with pytest.raises(members.NotSuperAdmin):
                act(bob, by=stranger)
        with pytest.raises(members.NotSuperAdmin):
            members.invite(account, email="x@example.com", by=stranger)
        with pytest.raises(members.NotSuperAdmin):
            members.change(bob, by=stranger, role=Role.SUPER_ADMIN)
    members.deactivate(bob, by=None)
    assert not Membership.objects.get(pk=bob.pk).is_active


def test_the_last_super_admin_stays_until_there_is_another(alice, bob):
    for act in (
        lambda: members.deactivate(alice, by=alice),
        lambda: members.change(alice, by=alice, role=Role.MEMBER),
        lambda: people.bar(alice.user),
    ):
        with pytest.raises(members.LastSuperAdmin, match="Make somebody else a super admin first"):
            act()
    members.change(bob, by=alice, role=Role.SUPER_ADMIN)
    members.change(alice, by=alice, role=Role.MEMBER)
    assert not Membership.objects.get(pk=alice.pk).is_super_admin


def test_a_super_admin_who_may_not_sign_in_does_not_count(alice, bob):
    members.change(bob, by=alice, role=Role.SUPER_ADMIN)
    people.bar(bob.user)
    with pytest.raises(members.LastSuperAdmin):
        members.deactivate(alice, by=None)


def test_teams_and_permissions_must_be_the_accounts_own(account, alice, bob, next_door):
    theirs = Team.objects.create(account=next_door, name="Theirs")
    for facts in (
        {"primary_team": theirs},
        {"extra_teams": [theirs]},
        {"permissions": ["everything"]},
        {"role": "king"},
    ):
        with pytest.raises(members.InvalidMember):
            members.change(bob, by=alice, **facts)
    members.change(bob, by=alice, permissions=[Permission.FORMS])
    assert Membership.objects.get(pk=bob.pk).permissions == ["forms"]


def test_a_mail_server_that_is_down_does_not_undo_the_invitation(
    account, alice, settings, django_capture_on_commit_callbacks
):
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    with django_capture_on_commit_callbacks(execute=True):
        members.invite(account, email="nina@example.com", by=alice)
    assert Membership.objects.filter(user__email="nina@example.com").exists()
