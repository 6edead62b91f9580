"""Writing on records: notes, logged calls, mails and meetings, and comments below them."""

from datetime import datetime

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.errors import DomainError
from accounts.models import Membership
from crm import mentioning, paths, telling
from crm.errors import RecordInBin
from crm.models import Activity, ActivityKind, Mention, Record, Source
from notifications.types import comments, general
from notifications.types.values import problem_with_value

LONGEST = 65_536
LONGEST_SUBJECT = 200


class InvalidActivity(DomainError):
    code = "invalid_activity"
    status = 422


class NotTheAuthor(DomainError):
    code = "not_the_author"
    status = 403


@transaction.atomic
def log(
    record: Record,
    *,
    kind: str,
    text: str,
    by: Membership | None,
    subject: str = "",
    occurred_at: datetime | None = None,
    source: Source = Source.PAGE,
) -> Activity:
    """Write a note, or log a call, mail or meeting. Tells who is mentioned, and the owner (N-108)."""
    if kind not in ActivityKind.values or kind == ActivityKind.COMMENT:
        raise InvalidActivity(
            _("Choose a note, call, e-mail or meeting."), fields={"kind": [_("There is no such kind.")]}
        )
    text, subject = _checked(text, subject)
    record = _live(record)
    activity = Activity.objects.create(
        record=record,
        kind=kind,
        text=text,
        subject=subject,
        author=by,
        source=source,
        occurred_at=occurred_at or timezone.now(),
    )
    mentioned = {one.pk for one in mentioning.note(activity)}
    if record.owner and record.owner_id not in mentioned:
        telling.tell(
            general.ACTIVITY_LOGGED,
            about=record,
            to=[record.owner],
            by=by,
            data={
                "actor": telling.actor(by),
                "record": record.title,
                "activity": _line(activity),
                "url": paths.activity(activity),
            },
            key=f"crm.logged:{activity.pk}",
        )
    return activity


@transaction.atomic
def comment(parent: Activity, *, text: str, by: Membership | None, source: Source = Source.PAGE) -> Activity:
    """Comment on an activity. Tells who is mentioned, and all others who take part in it (N-062, N-097).

    A comment on a comment stands below the same activity.
    """
    parent = parent.parent or parent
    text, _subject = _checked(text, "")
    record = _live(parent.record)
    if parent.deleted_at is not None:
        raise InvalidActivity(_("This activity was deleted."))
    activity = Activity.objects.create(
        record=record, kind=ActivityKind.COMMENT, text=text, author=by, parent=parent, source=source
    )
    mentioned = {one.pk for one in mentioning.note(activity)}
    telling.tell(
        comments.ACTIVITY_COMMENTED,
        about=record,
        to=[one for one in taking_part(parent) if one.pk not in mentioned],
        by=by,
        data={
            "actor": telling.actor(by),
            "activity": _line(parent),
            "excerpt": telling.short(mentioning.plain(text)),
            "url": paths.activity(activity),
        },
        key=f"crm.commented:{activity.pk}",
    )
    return activity


@transaction.atomic
def edit(activity: Activity, *, text: str, by: Membership | None, subject: str | None = None) -> Activity:
    """Write a text anew: its author's, or a super admin's to do. Who is mentioned for the first time is told."""
    activity = (
        Activity.objects.select_for_update(of=("self",))
        .select_related("record__account", "parent", "author__user", "author__account")
        .get(pk=activity.pk)
    )
    _require_author(activity, by)
    text, new_subject = _checked(text, activity.subject if subject is None else subject)
    if (text, new_subject) == (activity.text, activity.subject):
        return activity
    activity.text, activity.subject, activity.edited_at = text, new_subject, timezone.now()
    activity.save(update_fields=["text", "subject", "edited_at"])
    mentioning.note(activity)
    return activity


@transaction.atomic
def delete(activity: Activity, *, by: Membership | None) -> None:
    """Take an activity away with its comments. Twice is once."""
    _require_author(activity, by)
    now = timezone.now()
    Activity.objects.filter(pk=activity.pk, deleted_at=None).update(deleted_at=now)
    Activity.objects.filter(parent=activity.pk, deleted_at=None).update(deleted_at=now)


def taking_part(activity: Activity) -> list[Membership]:
    """Who logged an activity, commented on it, or was told of being mentioned in it or its comments."""
    thread = Activity.objects.filter(pk=activity.pk) | Activity.objects.filter(parent=activity.pk, deleted_at=None)
    authors = set(thread.exclude(author=None).values_list("author_id", flat=True))
    named = Mention.objects.filter(activity__in=thread, untold="").values_list("member_id", flat=True)
    return list(Membership.objects.filter(pk__in=authors.union(named)).select_related("user", "account"))


def _line(activity: Activity) -> str:
    """ "Meeting: walk through the warehouse"."""
    words = activity.subject or telling.short(mentioning.plain(activity.text), 80)
    return f"{activity.get_kind_display()}: {words}"


def _live(record: Record) -> Record:
    record = Record.objects.select_related("account", "owner__user", "owner__account").get(pk=record.pk)
    if record.is_deleted:
        raise RecordInBin
    return record


def _checked(text: str, subject: str) -> tuple[str, str]:
    text, subject = text.strip(), " ".join(subject.split())
    problems: dict[str, list[str]] = {}
    if not text and not subject:
        problems["text"] = [_("Write something first.")]
    if len(text) > LONGEST:
        problems["text"] = [_("At most %(most)d characters fit.") % {"most": LONGEST}]
    if len(subject) > LONGEST_SUBJECT:
        problems["subject"] = [_("At most %(most)d characters fit.") % {"most": LONGEST_SUBJECT}]
    for name, value in (("text", text), ("subject", subject)):
        if problem := problem_with_value(value):
            problems[name] = [problem]
    if problems:
        raise InvalidActivity(_("Nothing was saved."), fields=problems)
    return text, subject


def _require_author(activity: Activity, by: Membership | None) -> None:
    if by is not None and by.pk != activity.author_id and not by.is_super_admin:
        raise NotTheAuthor(_("Only its author or a super admin can change this."))
