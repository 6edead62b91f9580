"""Profiles: defaults for one role or one team. Made, renamed, moved, copied, removed; each on record and undoable."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Account, Membership, Role, Team
from notifications import reach, telling_changes
from notifications.defaults import CannotUndo, InvalidChange, require_right
from notifications.models import PreferenceChange, Profile, ProfileCells
from notifications.reach import Reach
from notifications.resolution import Layer
from notifications.saying import save_cells

MOST = 30  # the fan-out keeps a bit for each

Facts = dict[str, Any]


def create(
    account: Account, *, name: str, by: Membership | None, role: str = "", team: Team | None = None
) -> PreferenceChange:
    """Make an empty profile for a role or a team. It answers after those that are there."""
    require_right(account, by)

    def work() -> tuple[Profile, None, Facts]:
        _check(account, name=name, role=role, team=team)
        last = Profile.objects.filter(account=account).last()
        profile = Profile.objects.create(
            account=account, name=name.strip(), role=role, team=team, position=last.position + 1 if last else 0
        )
        return profile, None, facts(profile)

    return _recorded(account, work, by=by, words=_("Profile “%(name)s” made") % {"name": name.strip()})


def copy(
    source: Profile, *, name: str, by: Membership | None, role: str = "", team: Team | None = None
) -> PreferenceChange:
    """Make a profile that says the same for another role or team. Members it reaches are told."""
    account = source.account
    require_right(account, by)

    def work() -> tuple[Profile, None, Facts]:
        _check(account, name=name, role=role, team=team)
        given = facts(source) | {"id": None, "name": name.strip(), "role": role, "team": team.pk if team else None}
        last = Profile.objects.filter(account=account).last()
        profile = _make(account, given | {"position": last.position + 1 if last else 0})
        return profile, None, facts(profile)

    return _recorded(account, work, by=by, words=_("Profile “%(name)s” made") % {"name": name.strip()})


def rename(profile: Profile, *, name: str, by: Membership | None) -> PreferenceChange:
    """Give a profile another name."""
    require_right(profile.account, by)

    def work() -> tuple[Profile, Facts, Facts]:
        _check(profile.account, name=name, role=profile.role, team=profile.team, but=profile)
        before = facts(profile)
        profile.name = name.strip()
        profile.save(update_fields=["name"])
        return profile, before, facts(profile)

    return _recorded(profile.account, work, by=by, words=_("Profile renamed “%(name)s”") % {"name": name.strip()})


def move(profile: Profile, *, to: int, by: Membership | None) -> PreferenceChange:
    """Put a profile at a place (0 answers first). Where several apply to a member, the first one answers."""
    require_right(profile.account, by)

    def work() -> tuple[Profile, Facts, Facts]:
        before = _order(profile.account)
        after = [one for one in before if one != profile.pk]
        after.insert(max(to, 0), profile.pk)
        _put_in_order(profile.account, after)
        return profile, {"order": before}, {"order": after}

    return _recorded(profile.account, work, by=by, words=_("Profile “%(name)s” moved") % {"name": profile.name})


def preview_removal(profile: Profile) -> Reach:
    """Whom the removal of a profile would change."""
    before = reach.read(profile.account)
    after = replace(before, profiles=tuple(one for one in before.profiles if one.id != profile.pk))
    return reach.measure(profile.account, before, after)


def delete(profile: Profile, *, by: Membership | None) -> PreferenceChange:
    """Remove a profile with all it says. Members whose settings it changes are told."""
    require_right(profile.account, by)

    def work() -> tuple[None, Facts, None]:
        return None, _remove(profile), None

    return _recorded(profile.account, work, by=by, words=_("Profile “%(name)s” removed") % {"name": profile.name})


def facts(profile: Profile) -> Facts:
    """All there is to a profile, to bring it back."""
    return {
        "id": profile.pk,
        "name": profile.name,
        "role": profile.role,
        "team": profile.team_id,
        "position": profile.position,
        "cells": {row.type: [row.chosen, row.on] for row in profile.cells.order_by("type")},
    }


def is_about_profiles(change: PreferenceChange) -> bool:
    """Whether a change made, renamed, moved or removed a profile, rather than what one says."""
    return change.layer == Layer.PROFILE and {"profile", "order"} & set(change.before) != set()


def undo(change: PreferenceChange, *, by: Membership | None) -> PreferenceChange:
    """Put back what a change to the profiles themselves did. `defaults.undo` has checked the right to."""
    account = change.account
    if "order" in change.after:
        if _order(account) != change.after["order"]:
            raise CannotUndo(_("The profiles were changed again since: move them by hand."))
        work = _undo_order(change)
    else:
        work = _undo_facts(change)
    words = (_("Undone: %(what)s") % {"what": change.summary})[:300]
    return _recorded(account, work, by=by, words=words, undoes=change)


Work = Callable[[], tuple[Profile | None, Facts | None, Facts | None]]


def _undo_order(change: PreferenceChange) -> Work:
    def work() -> tuple[Profile | None, Facts, Facts]:
        _put_in_order(change.account, change.before["order"])
        return change.profile, {"order": change.after["order"]}, {"order": change.before["order"]}

    return work


def _undo_facts(change: PreferenceChange) -> Work:
    before, after = change.before["profile"], change.after["profile"]
    account = change.account
    now = Profile.objects.filter(account=account, pk=after["id"]).first() if after else None
    if after and (now is None or not _is_same(facts(now), after)):
        raise CannotUndo(_("The profile was changed again since: change it by hand."))

    def work() -> tuple[Profile | None, Facts | None, Facts | None]:
        if now is not None and before is None:
            return None, _remove(now), None
        if now is not None:
            now.name = before["name"]
            now.save(update_fields=["name"])
            return now, after, facts(now)
        team = Team.objects.filter(account=account, pk=before["team"]).first() if before["team"] else None
        if before["team"] and team is None:
            raise CannotUndo(_("The team of this profile is gone."))
        _check(account, name=before["name"], role=before["role"], team=team)
        return (back := _make(account, before)), None, facts(back)

    return work


def _is_same(now: Facts, then: Facts) -> bool:
    """Whether a profile still is what a change made of it; its place does not matter."""
    return {**now, "position": 0, "changes": ()} == {**then, "position": 0, "changes": ()}


def _remove(profile: Profile) -> Facts:
    """Remove a profile and return all that brings it back: its facts, and which changes on record were about it."""
    gone = facts(profile) | {
        "changes": list(PreferenceChange.objects.filter(profile=profile).values_list("pk", flat=True))
    }
    profile.delete()
    return gone


def _make(account: Account, given: Facts) -> Profile:
    profile = Profile.objects.create(
        pk=given["id"],
        account=account,
        name=given["name"],
        role=given["role"],
        team_id=given["team"],
        position=given["position"],
    )
    rows = [
        ProfileCells(profile=profile, type=type_key, chosen=chosen, on=on)
        for type_key, (chosen, on) in given["cells"].items()
    ]
    if rows:
        save_cells(ProfileCells, rows, owner="profile")
    PreferenceChange.objects.filter(account=account, pk__in=given.get("changes", ())).update(profile=profile)
    return profile


@transaction.atomic
def _recorded(
    account: Account, work: Work, *, by: Membership | None, words: str, undoes: PreferenceChange | None = None
) -> PreferenceChange:
    """Do the work, one change per account at a time; record it, and tell the members whose settings changed."""
    Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
    said = reach.read(account)
    profile, before, after = work()
    done = reach.measure(account, said, reach.read(account))
    change = PreferenceChange.objects.create(
        account=account,
        layer=Layer.PROFILE,
        profile=profile,
        summary=words[:300],
        before=before if before and "order" in before else {"profile": before},
        after=after if after and "order" in after else {"profile": after},
        members_affected=done.members_affected,
        cells_affected=done.cells_affected,
        made_by=by,
        undoes=undoes,
    )
    telling_changes.tell(account, done, by=by)
    return change


def _order(account: Account) -> list[int]:
    return list(Profile.objects.filter(account=account).values_list("pk", flat=True))


def _put_in_order(account: Account, ids: Sequence[int]) -> None:
    rows = Profile.objects.in_bulk(list(ids))
    for position, pk in enumerate(ids):
        rows[pk].position = position
    Profile.objects.bulk_update(rows.values(), ["position"])


def _check(account: Account, *, name: str, role: str, team: Team | None, but: Profile | None = None) -> None:
    problems: dict[str, list[str]] = {}
    others = Profile.objects.filter(account=account).exclude(pk=but.pk if but else 0)
    if not name.strip() or len(name.strip()) > 120 or "\0" in name:
        problems["name"] = [_("Write a name of at most 120 characters.")]
    elif others.filter(name=name.strip()).exists():
        problems["name"] = [_("There is a profile of this name already.")]
    if bool(role) == bool(team):
        problems["role"] = [_("Choose a role or a team, one of the two.")]
    elif role and role not in Role.values:
        problems["role"] = [_("There is no such role.")]
    elif team and team.account_id != account.pk:
        problems["team"] = [_("There is no such team.")]
    if but is None and others.count() >= MOST:
        problems["name"] = [_("An account has at most %(most)s profiles.") % {"most": MOST}]
    if problems:
        raise InvalidChange(next(iter(problems.values()))[0], fields=problems)
