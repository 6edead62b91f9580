"""Quotes: signatures and payment. Each goes to one member only, who owns the quote (N-129): `for_one` holds it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from notifications.types.base import Topic

TOPIC = Topic(
    "quotes",
    _("Quotes"),
    note=_("Quotes are told only to the person who owns them."),
    for_one=True,
)

COUNTERSIGNATURE_NEEDED = TOPIC.type(
    "countersignature_needed",
    label=_("A countersignature is needed"),
    title=_("“{quote}” needs a countersignature"),
    body=_("{signer} has signed."),
    example={"quote": "Q-118 Fjordline", "signer": "Mia Lind", "url": "/1001/quotes/118/"},
    defaults={"bell", "popup", "email"},
    requirements=("N-124", "N-129"),
)

PAID = TOPIC.type(
    "paid",
    label=_("A quote is paid"),
    title=_("“{quote}” is paid: {amount}"),
    example={"quote": "Q-104 Marlow & Finch", "amount": "€ 18,400.00", "url": "/1001/quotes/104/"},
    defaults={"bell", "email"},
    requirements=("N-125", "N-129"),
)

SIGNED_BY_CUSTOMER = TOPIC.type(
    "signed_by_customer",
    label=_("A quote is signed by a customer"),
    title=_("{signer} signed “{quote}”"),
    example={"signer": "Oskar Nyström", "quote": "Q-121 Nordic Oak", "url": "/1001/quotes/121/"},
    defaults={"bell", "popup", "email"},
    requirements=("N-126", "N-129"),
)

COUNTERSIGNED_FULLY_SIGNED = TOPIC.type(
    "countersigned_fully_signed",
    label=_("A quote you countersigned is fully signed"),
    title=_("“{quote}”, which you countersigned, is fully signed"),
    example={"quote": "Q-115 Hofmann Bakeries", "url": "/1001/quotes/115/"},
    defaults={"bell"},
    requirements=("N-127", "N-129"),
)

FULLY_SIGNED = TOPIC.type(
    "fully_signed",
    label=_("A quote you own is fully signed"),
    title=_("Your quote “{quote}” is fully signed"),
    example={"quote": "Q-121 Nordic Oak", "url": "/1001/quotes/121/"},
    defaults={"bell", "email"},
    requirements=("N-128", "N-129"),
)
