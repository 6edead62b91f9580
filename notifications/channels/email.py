"""E-mail over SMTP, through connections kept open. Mails are written before a connection is used."""

import smtplib
from collections.abc import Iterator, Sequence

from django.conf import settings
from django.core.mail import EmailMultiAlternatives, get_connection
from django.utils.translation import gettext_lazy

from notifications.channels.base import Outcome, Parcel, Sent, TryLater, Unreachable


class Email:
    key = "email"
    bit = 4
    label = gettext_lazy("E-mail")

    def send_many(self, parcels: Sequence[Parcel]) -> Iterator[Outcome]:
        """Carry mails over one connection. Yields Sent, Unreachable or TryLater per parcel."""
        connection = get_connection()
        try:
            connection.open()
            for parcel in parcels:
                try:
                    mail = EmailMultiAlternatives(
                        parcel.message.title,
                        f"{parcel.message.body}\n\n{parcel.message.url}",
                        settings.DEFAULT_FROM_EMAIL,
                        [parcel.email],
                        connection=connection,
                    )
                    mail.send()
                    yield Sent(parcel, parcel.email)
                except smtplib.SMTPRecipientsRefused as error:
                    yield Unreachable(parcel, str(error))
                except (OSError, smtplib.SMTPException) as error:
                    yield TryLater(parcel, str(error))
        finally:
            connection.close()
