"""Payments and payouts. The whole topic exists for super admins only (N-119)."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic("payments", _("Payments"), for_role="super_admin")

INITIATED = TOPIC.type(
    "initiated",
    label=_("A payment is initiated"),
    title=_("{payer} started a payment of {amount}"),
    body=_("For {reference}."),
    example={
        "payer": "Marlow & Finch",
        "amount": "€ 1,840.00",
        "reference": "invoice 2291",
        "url": "/1001/payments/901/",
    },
    defaults={"bell"},
    requirements=("N-119", "N-120"),
)

FAILED = TOPIC.type(
    "failed",
    label=_("A payment fails"),
    title=_("The payment of {amount} by {payer} failed"),
    body=_("Reason: {reason}."),
    example={
        "payer": "Hofmann Bakeries",
        "amount": "€ 260.00",
        "reason": "the card has expired",
        "url": "/1001/payments/897/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-119", "N-121"),
)

RECEIVED = TOPIC.type(
    "received",
    label=_("A payment is received"),
    title=_("{payer} paid {amount}"),
    body=_("For {reference}."),
    example={
        "payer": "Fjordline Logistics",
        "amount": "€ 12,000.00",
        "reference": "quote Q-118",
        "url": "/1001/payments/904/",
    },
    defaults={"bell", "email"},
    requirements=("N-119", "N-122"),
)

PAYOUT_CREATED = TOPIC.type(
    "payout_created",
    label=_("A payout is created"),
    title=_("A payout of {amount} is on its way"),
    body=_("Expected on {expected_on} at {bank}."),
    example={
        "amount": "€ 13,580.00",
        "expected_on": "25 November",
        "bank": "the account ending in 4410",
        "url": "/1001/payments/payouts/66/",
    },
    defaults={"bell"},
    requirements=("N-119", "N-123"),
)

PAYOUT_FAILED = TOPIC.type(
    "payout_failed",
    label=_("A payout fails"),
    title=_("The payout of {amount} failed"),
    body=_("Reason: {reason}."),
    example={
        "amount": "€ 2,115.00",
        "reason": "the bank does not know this account",
        "url": "/1001/payments/payouts/67/",
    },
    defaults={"bell", "popup", "email"},
    requirements=("N-119", "N-123"),
)
