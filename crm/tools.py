"""The tools that work across all kinds of records, as the pages of records name them. One line each."""

from django.utils.translation import gettext_lazy as _

TOOLS = (  # the name of its first page, and its label
    ("crm:records", _("Records")),
    ("crm:lists", _("Lists")),
    ("crm:duplicates-everywhere", _("Duplicates")),
)
