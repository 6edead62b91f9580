"""The pages of a member's exports, below /<hub_id>/exports/."""

from django.urls import path

from crm.views import exports

urlpatterns = [
    path("", exports.mine, name="exports"),
    path("<pk:export_id>/", exports.one, name="export"),
    path("<pk:export_id>/download/", exports.download, name="export-download"),
    path("<pk:export_id>/cancel/", exports.cancel, name="export-cancel"),
    path("<pk:export_id>/delete/", exports.delete, name="export-delete"),
]
