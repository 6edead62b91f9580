"""Words for what a super admin changed, and telling the members whose settings it changed, once (N-045)."""

from typing import Any

from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Account, Membership
from notifications import channels, events, types
from notifications.events import Audience
from notifications.models import PreferenceChange, Profile
from notifications.reach import Reach
from notifications.resolution import Layer
from notifications.types.account import PREFERENCES_CHANGED_BY_ADMIN

AT_ONCE = 10_000  # members in one event
MOST_TOPICS = 4  # named in a sentence


def cell_words(name: str) -> str:
    """A cell as people know it: “Deals: A deal you own moves · E-mail”."""
    type_key, _slash, channel = name.rpartition("/")
    kind, carrier = types.TYPES.get(type_key), channels.CHANNELS.get(channel)
    label = f"{kind.topic.label}: {kind.label}" if kind else type_key
    return f"{label} · {carrier.label if carrier else channel}"


def summary(
    account: Account,
    layer: Layer,
    values: dict[str, Any],
    *,
    profile: Profile | None = None,
    undoes: PreferenceChange | None = None,
) -> str:
    """One line for the log of changes, in the account's language."""
    with translation.override(account.language):
        what = cell_words(next(iter(values))) if len(values) == 1 else _topics(values)
        cells = ngettext("%(count)s cell", "%(count)s cells", len(values)) % {"count": len(values)}
        layer_words = {
            Layer.DEFAULT: _("Account default"),
            Layer.LOCK: _("Locks"),
            Layer.PROFILE: _("Profile “%(name)s”") % {"name": profile.name if profile else "?"},
        }[layer]
        line = f"{layer_words}: {cells} ({what})"
        return (_("Undone: %(what)s") % {"what": line} if undoes else line)[:300]


def tell(account: Account, done: Reach, *, by: Membership | None) -> None:
    """Tell each member for whom something turned on or off, once, whatever the number of cells. Else nobody."""
    if not done.members:
        return
    with translation.override(account.language):
        names = [f"{cell.type.key}/{cell.channel.key}" for cell in done.cells if cell.turned_on or cell.turned_off]
        used = {name.rpartition("/")[2] for name in names}
        by_channel = ", ".join(str(channel.label) for channel in channels.ALL if channel.key in used)
        data = {
            "actor": by.name if by else _("An administrator"),
            "changes": _("%(topics)s (%(channels)s)") % {"topics": _topics(names), "channels": by_channel},
            "url": f"/{account.hub_id}/settings/notifications/email/",
        }
    for start in range(0, len(done.members), AT_ONCE):
        audience = Audience(members=tuple(done.members[start : start + AT_ONCE]))
        events.emit(PREFERENCES_CHANGED_BY_ADMIN, audience=audience, by=by, data=data, account=account)


def _topics(names: Any) -> str:
    kinds = [kind for name in names if (kind := types.TYPES.get(name.rpartition("/")[0]))]
    labels = list(dict.fromkeys(str(kind.topic.label) for kind in kinds))
    if len(labels) <= MOST_TOPICS:
        return ", ".join(labels)
    more = len(labels) - MOST_TOPICS
    return ngettext("%(some)s and %(more)s more topic", "%(some)s and %(more)s more topics", more) % {
        "some": ", ".join(labels[:MOST_TOPICS]),
        "more": more,
    }
