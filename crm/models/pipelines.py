"""Pipelines and their stages: the way of a deal to its end, of a ticket to its answer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.models import Account


class Outcome(models.TextChoices):
    """What it means to stand in a stage."""

    OPEN = "open", _("Open")
    WON = "won", _("Won or solved")
    LOST = "lost", _("Lost or dropped")


class Pipeline(models.Model):
    """A row of stages for one kind of record. An account's first ones are made when they are first asked for."""

    account = models.ForeignKey(Account, models.CASCADE, related_name="pipelines")
    kind = models.CharField(max_length=60)  # a key of crm.kinds, or of a custom kind
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        verbose_name = _("pipeline")
        verbose_name_plural = _("pipelines")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["account", "kind", "name"], name="one_pipeline_per_name")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"


class Stage(models.Model):
    """One step of a pipeline; a ticket calls it a status. A stage with records in it cannot go (PROTECT)."""

    pipeline = models.ForeignKey(Pipeline, models.CASCADE, related_name="stages")
    name = models.CharField(_("name"), max_length=120)
    position = models.PositiveSmallIntegerField(default=0)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.OPEN)

    class Meta:
        verbose_name = _("stage")
        verbose_name_plural = _("stages")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["pipeline", "name"], name="one_stage_per_name")]

    def __str__(self) -> str:
        return f"#{self.pk} {self.name}"
