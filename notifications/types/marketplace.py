"""Marketplace: updates, purchases and refunds of assets."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("marketplace", _("Marketplace"))

UPDATE_AVAILABLE = TOPIC.type(
    "update_available",
    label=_("An update of an asset is available"),
    title=_("“{asset}” {version} is available"),
    example={"asset": "Clean Slate theme", "version": "2.4", "url": "/1001/marketplace/assets/17/"},
    defaults={"bell"},
    requirements=("N-113",),
)

REFUND_REQUESTED = TOPIC.type(
    "refund_requested",
    label=_("A refund is requested"),
    title=_("A refund of {amount} is requested for “{asset}”"),
    body=_("Reason: {reason}."),
    example={
        "amount": "€ 49.00",
        "asset": "Clean Slate theme",
        "reason": "bought twice",
        "url": "/1001/marketplace/orders/308/",
    },
    defaults={"bell", "email"},
    requirements=("N-114",),
)

PURCHASE_CONFIRMED = TOPIC.type(
    "purchase_confirmed",
    label=_("A purchase is confirmed"),
    title=_("Your purchase of “{asset}” is confirmed"),
    body=_("{amount}, order {order}."),
    example={
        "asset": "Event landing pages",
        "amount": "€ 120.00",
        "order": "MP-2026-0312",
        "url": "/1001/marketplace/orders/312/",
    },
    defaults={"bell", "email"},
    requirements=("N-115",),
)

REFUND_ISSUED = TOPIC.type(
    "refund_issued",
    label=_("A refund is issued"),
    title=_("{amount} for “{asset}” is refunded"),
    example={"amount": "€ 49.00", "asset": "Clean Slate theme", "url": "/1001/marketplace/orders/308/"},
    defaults={"bell", "email"},
    requirements=("N-116",),
)

REFUND_CANCELLED = TOPIC.type(
    "refund_cancelled",
    label=_("A refund request is cancelled"),
    title=_("The refund request for “{asset}” is cancelled"),
    example={"asset": "Quote designer", "url": "/1001/marketplace/orders/297/"},
    defaults={"bell"},
    requirements=("N-117",),
)

REFUND_DECLINED = TOPIC.type(
    "refund_declined",
    label=_("A refund request is declined"),
    title=_("The refund request for “{asset}” is declined"),
    body=_("Reason: {reason}."),
    example={
        "asset": "Icon pack",
        "reason": "requested after 30 days",
        "url": "/1001/marketplace/orders/281/",
    },
    defaults={"bell", "email"},
    requirements=("N-118",),
)
