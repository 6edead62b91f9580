"""Keys for programs: made, recognised, revoked."""

import hashlib
import secrets
from collections.abc import Iterable
from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError
from accounts.models import Account, ApiKey, Membership

SCOPES = {
    "events.write": _("Emit events"),
    "events.read": _("Read events and their outcome"),
    "notifications.read": _("Read notifications"),
    "notifications.write": _("Mark notifications read or archived"),
    "preferences.read": _("Read preferences, defaults and profiles"),
    "preferences.write": _("Change preferences, defaults and profiles"),
    "connections.write": _("Connect other apps for members, who are then told there"),
    "members.read": _("Read members and teams"),
    "deliveries.read": _("Read how deliveries do"),
    "deliveries.write": _("Send failed deliveries again"),
    "records.read": _("Read records, their activities and pipelines"),
    "records.write": _("Change records and their activities"),
    "forms.read": _("Read what visitors filled in"),
    "forms.write": _("Hand in forms that visitors filled in"),
    "webhooks.read": _("Read webhooks for records and how their posts went"),
    "webhooks.write": _("Register and change webhooks for records, which then hear of every change"),
    "workflows.read": _("Read workflows and what they did"),
    "workflows.write": _("Change workflows and enrol records"),
}


class UnknownScope(DomainError):
    code = "unknown_scope"
    status = 422


def digest_of(key: str) -> str:
    """What is stored of a key. The key has 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(key.encode()).hexdigest()


@transaction.atomic
def make(account: Account, *, name: str, scopes: Iterable[str], by: Membership | None) -> tuple[ApiKey, str]:
    """Make a key. Returns its row and the key itself, which nobody can see again."""
    wanted = sorted(set(scopes))
    if unknown := [scope for scope in wanted if scope not in SCOPES]:
        raise UnknownScope(_("Unknown scope: %(scopes)s.") % {"scopes": ", ".join(unknown)}, fields={"scopes": unknown})
    key = f"bh_{secrets.token_urlsafe(32)}"
    row = ApiKey.objects.create(
        account=account, name=name, prefix=key[:10], digest=digest_of(key), scopes=wanted, created_by=by
    )
    return row, key


def recognise(key: str) -> ApiKey | None:
    """The live key behind what a caller showed, or None. Notes the use, at most once a minute."""
    row = ApiKey.objects.live().select_related("account").filter(digest=digest_of(key)).first()
    if row is None:
        return None
    now = timezone.now()
    if row.last_used_at is None or now - row.last_used_at > timedelta(minutes=1):
        ApiKey.objects.filter(pk=row.pk).update(last_used_at=now)
    return row


def revoke(row: ApiKey) -> None:
    """End a key, at once and for good. Revoking twice keeps the first moment."""
    ApiKey.objects.live().filter(pk=row.pk).update(revoked_at=timezone.now())
