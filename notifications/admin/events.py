"""Events: what happened, who was meant, and what became of it. Read only."""

import json
from collections import Counter
from datetime import datetime

from django.contrib import admin
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from accounts.admin.scope import ScopedAdmin
from notifications import channels, rendering, types
from notifications.admin.deliveries import TypeFilter
from notifications.models import Event, Held


class EventTypeFilter(TypeFilter):
    path = "type"


@admin.register(Event)
class EventAdmin(ScopedAdmin):
    """What was emitted."""

    list_display = ("occurred_at", "title", "kind", "recipients", "outcome_words", "account_name")
    list_display_links = ("occurred_at", "title")
    list_select_related = ("account",)
    list_filter = (EventTypeFilter,)
    ordering = ("-pk",)
    fields = (
        "title", "kind", "account_name", "by", "occurred_at", "told_at", "recipients", "outcome_words", "data_words",
        "audience_words",
    )  # fmt: skip
    readonly_fields = fields

    @admin.display(description=gettext_lazy("what happened"))
    def title(self, obj: Event) -> str:
        return rendering.render(obj.type, obj.data, language=obj.account.language).title

    @admin.display(description=gettext_lazy("notification"))
    def kind(self, obj: Event) -> str:
        kind = types.get(obj.type)
        return f"{kind.topic.label}: {kind.label}" if kind else obj.type

    @admin.display(description=gettext_lazy("by"))
    def by(self, obj: Event) -> str:
        return obj.actor.name if obj.actor else "–"

    @admin.display(description=gettext_lazy("told"))
    def told_at(self, obj: Event) -> datetime | None:
        return obj.fanned_out_at

    @admin.display(description=gettext_lazy("outcome"))
    def outcome_words(self, obj: Event) -> str:
        """For how many recipients each channel was on, and how many were held back and why."""
        if obj.fanned_out_at is None:
            return _("being told…")
        by_channel: Counter[str] = Counter()
        held: Counter[int] = Counter()
        for mask, _own, _off, _profiles, why, count in obj.outcome:
            held[why] += count
            by_channel.update(dict.fromkeys(channels.keys_of(mask), count))
        shown = [channel for channel in channels.ALL if by_channel[channel.key] and channel.key not in channels.APP]
        said = [f"{channel.label} {by_channel[channel.key]}" for channel in shown]  # few have connected an app
        said += [f"{Held(why).label}: {count}" for why, count in held.items() if why and count]
        return ", ".join(said) or _("nobody wanted it")

    @admin.display(description=gettext_lazy("data"))
    def data_words(self, obj: Event) -> str:
        rows = format_html_join("", "<dt>{}</dt><dd>{}</dd>", ((name, str(value)) for name, value in obj.data.items()))
        return format_html('<dl class="facts">{}</dl>', rows)

    @admin.display(description=gettext_lazy("audience"))
    def audience_words(self, obj: Event) -> str:
        given = obj.audience
        parts = [_("everyone")] if given.get("everyone") else []
        for name, one, many in (
            ("members", "%s member", "%s members"),
            ("teams", "%s team", "%s teams"),
            ("primary_teams", "%s team (primary members)", "%s teams (primary members)"),
        ):
            if count := len(given.get(name, ())):
                parts.append(ngettext(one, many, count) % count)
        parts += [_("whoever has the permission %s") % name for name in given.get("permissions", ())]
        return ", ".join(parts) or json.dumps(given)
