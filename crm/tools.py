"""The tools that work across all kinds of records, as the pages of records name them. One line each."""

from django.utils.translation import gettext_lazy as _

TOOLS = (  # the name of its first page, its label, and the permission without which there is none
    ("crm:records", _("Records")),
    ("crm:lists", _("Lists")),
    ("crm:workflows", _("Workflows")),
    ("crm:duplicates-everywhere", _("Duplicates")),
    ("crm:anomalies", _("Anomalies")),
    ("crm:form-submissions", _("Form submissions"), "forms"),
    ("crm:imports", _("Imports")),
    ("crm:exports", _("Exports")),
    ("crm:webhooks", _("Webhooks")),
    ("crm:record-settings", _("Settings")),
)
