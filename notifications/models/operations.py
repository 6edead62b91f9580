"""What running needs: mails that are kept here because no mail server is set up, and who is at work."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class SandboxMail(models.Model):
    """A mail as it would have gone out, kept because no mail server is set up."""

    sent_to = models.CharField(max_length=1000)
    subject = models.CharField(max_length=1000)
    raw = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("sandbox mail")
        verbose_name_plural = _("sandbox mails")

    def __str__(self) -> str:
        return f"#{self.pk} {self.subject}"


class Canary(models.Model):
    """When somebody was last seen at work: see `notifications.canary`."""

    name = models.CharField(max_length=40, primary_key=True)
    seen_at = models.DateTimeField()

    class Meta:
        verbose_name = _("canary")
        verbose_name_plural = _("canaries")

    def __str__(self) -> str:
        return f"#{self.pk} {self.seen_at}"
