"""Endpoints, looked after by super admins: registered, changed, turned off and on, given a new secret, removed."""

import json
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts import sealing
from accounts.errors import DomainError
from accounts.members import require_super_admin
from accounts.models import Account, Membership
from crm import schema
from crm.models import PostState, Webhook, WebhookPost, What
from notifications import standard_webhooks

MOST = 20  # in one account


class InvalidWebhook(DomainError):
    """Nothing was saved. `fields` names what is wrong: url, kinds, happenings."""

    code = "invalid_webhook"
    status = 422


def register(
    account: Account, *, url: str, kinds: Sequence[str] = (), whats: Sequence[str] = (), by: Membership | None
) -> tuple[Webhook, str]:
    """A new endpoint, and its signing secret, which is not shown again. No `kinds`, no `whats`: all."""
    require_super_admin(account, by)
    facts = _checked(account, {"url": url, "kinds": kinds, "whats": whats})
    key = standard_webhooks.new_key()
    with transaction.atomic():
        Account.objects.select_for_update(no_key=True).get(pk=account.pk)  # counted one after the other
        if Webhook.objects.filter(account=account).count() >= MOST:
            raise InvalidWebhook(_("An account has at most %(most)d webhooks. Remove one first.") % {"most": MOST})
        if Webhook.objects.filter(account=account, url=facts["url"]).exists():
            words = _("This address is registered already. Change what is posted there instead.")
            raise InvalidWebhook(words, fields={"url": [words]})
        return Webhook.objects.create(account=account, created_by=by, secret=_sealed({"key": key}), **facts), key


def change(webhook: Webhook, *, by: Membership | None, **given: Any) -> Webhook:
    """Change its url, kinds, whats or is_on. What waits when it is turned off has failed, and can be sent again."""
    require_super_admin(webhook.account, by)
    facts = _checked(webhook.account, {name: given[name] for name in ("url", "kinds", "whats") if name in given})
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).select_related("account").get(pk=webhook.pk)
        for name, value in facts.items():
            setattr(webhook, name, value)
        if facts.get("url") or (given.get("is_on") and not webhook.is_on):
            webhook.failing_since = webhook.again_at = None
            webhook.failures = 0
        if "is_on" in given and given["is_on"] != webhook.is_on:
            _turn(webhook, is_on=given["is_on"])
        webhook.save()
    return webhook


def stop(webhook: Webhook, why: str) -> None:
    """It stops by itself, in the caller's transaction; the page says why until somebody turns it on again."""
    _turn(webhook, is_on=False)
    webhook.off_because = why[:300]
    webhook.save(update_fields=["is_on", "off_at", "off_because"])


def rotate(webhook: Webhook, *, by: Membership | None) -> str:
    """Replace the signing secret and return the new one, which is not shown again. The old one signs for a day too."""
    require_super_admin(webhook.account, by)
    with transaction.atomic():
        webhook = Webhook.objects.select_for_update(no_key=True).get(pk=webhook.pk)
        new = standard_webhooks.replaced(opened(webhook))
        webhook.secret = _sealed(new)
        webhook.save(update_fields=["secret"])
    return new["key"]


def remove(webhook: Webhook, *, by: Membership | None) -> None:
    """Forget an endpoint, its log and what waits for it."""
    require_super_admin(webhook.account, by)
    webhook.delete()


def opened(webhook: Webhook) -> dict[str, str]:
    """The secrets it signs with. Raises Unreadable where no key of ours opens them any more."""
    found: dict[str, str] = json.loads(sealing.unseal(webhook.secret))
    return found


def _sealed(secret: dict[str, str]) -> str:
    return sealing.seal(json.dumps(secret))


def _turn(webhook: Webhook, *, is_on: bool) -> None:
    webhook.is_on, webhook.off_because = is_on, ""
    webhook.off_at = None if is_on else timezone.now()
    if not is_on:
        WebhookPost.objects.filter(webhook=webhook, state=PostState.DUE).update(
            state=PostState.FAILED, claimed_until=None
        )


def _checked(account: Account, given: dict[str, Any]) -> dict[str, Any]:
    """What may be stored, or a refusal that names each wrong field. Looks the address up: not in a transaction."""
    problems: dict[str, list[str]] = {}
    found = dict(given)
    if "url" in given:
        found["url"] = given["url"].strip()
        if problem := standard_webhooks.problem_with(found["url"]):
            problems["url"] = [problem]
    if "kinds" in given:
        found["kinds"] = list(dict.fromkeys(given["kinds"]))
        if unknown := set(found["kinds"]) - set(schema.of(account)):
            problems["kinds"] = [_("The account has no such kind: %s.") % ", ".join(sorted(unknown))]
    if "whats" in given:
        found["whats"] = list(dict.fromkeys(given["whats"]))
        if unknown := set(found["whats"]) - set(What.values):
            problems["happenings"] = [_("There is no such happening: %s.") % ", ".join(sorted(unknown))]
    if problems:
        raise InvalidWebhook(_("Nothing was saved."), fields=problems)
    return found
