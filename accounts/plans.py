"""Which plan has what. The whole policy is one table."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.errors import DomainError


class Plan(models.TextChoices):
    FREE = "free", _("Free")
    STARTER = "starter", _("Starter")
    PROFESSIONAL = "professional", _("Professional")
    ENTERPRISE = "enterprise", _("Enterprise")


class Feature(models.TextChoices):
    DEFAULT_PREFERENCES = "default_preferences", _("Default notification preferences")
    WORKFLOWS = "workflows", _("Workflows")
    SUBSCRIPTION_WORKFLOWS = "subscription_workflows", _("Subscription statuses in workflows")
    SMS = "sms", _("SMS subscriptions")
    WHATSAPP_WORKFLOWS = "whatsapp_workflows", _("WhatsApp subscriptions in workflows")
    HIDE_BRANDING = "hide_branding", _("Chat without product branding")
    FULL_ACTIVITY_FEED = "full_activity_feed", _("The whole activity feed")


HAS = {
    Feature.DEFAULT_PREFERENCES: {Plan.ENTERPRISE},  # N-003
    Feature.WORKFLOWS: {Plan.PROFESSIONAL, Plan.ENTERPRISE},
    Feature.SUBSCRIPTION_WORKFLOWS: {Plan.PROFESSIONAL, Plan.ENTERPRISE},  # S-36
    Feature.SMS: {Plan.PROFESSIONAL, Plan.ENTERPRISE},  # S-30, S-46
    Feature.WHATSAPP_WORKFLOWS: {Plan.PROFESSIONAL, Plan.ENTERPRISE},  # S-45
    Feature.HIDE_BRANDING: {Plan.STARTER, Plan.PROFESSIONAL, Plan.ENTERPRISE},  # I-121
    Feature.FULL_ACTIVITY_FEED: {Plan.STARTER, Plan.PROFESSIONAL, Plan.ENTERPRISE},  # E-08
}


class NotOnThisPlan(DomainError):
    code = "not_on_this_plan"
    status = 403


def has(plan: str, feature: Feature) -> bool:
    """Whether accounts on `plan` have `feature`."""
    return plan in HAS[feature]


def sentence(feature: Feature) -> str:
    """The sentence beside a control that another plan has."""
    names = [str(plan.label) for plan in Plan if plan in HAS[feature]]
    return str(_("%(feature)s: available on %(plans)s.")) % {
        "feature": feature.label,
        "plans": ", ".join(names),
    }


def require(plan: str, feature: Feature) -> None:
    """Refuse with `NotOnThisPlan` unless `plan` has `feature`."""
    if not has(plan, feature):
        raise NotOnThisPlan(sentence(feature))
