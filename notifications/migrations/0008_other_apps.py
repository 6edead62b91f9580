import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Connections know their account, so that the fan-out can ask for all of them at once; and the log of webhooks."""

    dependencies = [
        ("accounts", "0001_initial"),
        ("notifications", "0007_quiet_hours"),
    ]

    operations = [
        migrations.AddField(
            model_name="connection",
            name="account",
            field=models.ForeignKey(
                db_index=False,
                default=0,  # nothing could make a connection before this migration
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="accounts.account",
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="connection",
            name="tested_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddIndex(
            model_name="connection",
            index=models.Index(
                condition=models.Q(("broken_at", None)), fields=["account", "member"], name="connection_working"
            ),
        ),
        migrations.CreateModel(
            name="WebhookAttempt",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("type", models.CharField(max_length=80)),
                ("number", models.SmallIntegerField(verbose_name="attempt")),
                ("is_taken", models.BooleanField()),
                ("status", models.SmallIntegerField(null=True)),
                ("words", models.CharField(blank=True, max_length=300, verbose_name="answer")),
                ("milliseconds", models.IntegerField(null=True)),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="when")),
                (
                    "connection",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="attempts",
                        to="notifications.connection",
                    ),
                ),
                (
                    "event",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="notifications.event",
                    ),
                ),
            ],
            options={
                "verbose_name": "webhook attempt",
                "verbose_name_plural": "webhook attempts",
                "indexes": [
                    models.Index(fields=["connection", "-id"], name="attempt_newest"),
                    models.Index(fields=["made_at"], name="attempt_oldest"),
                ],
            },
        ),
    ]
