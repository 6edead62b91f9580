"""The pages of the records. `crm/paths.py` has those that notifications and the API link to."""

from django.urls import URLPattern, URLResolver, include, path, register_converter

from accounts.api.paths import RowId
from crm.converters import KindConverter
from crm.views import (
    activities,
    anomalies,
    around,
    assigned,
    board,
    bulk,
    duplicates,
    editing,
    exports,
    index,
    record,
    workflow_log,
)

register_converter(KindConverter, "kind")
register_converter(RowId, "pk")

app_name = "crm"
urlpatterns: list[URLPattern | URLResolver] = [
    path("<int:hub_id>/exports/", include("crm.export_urls")),
    path("<int:hub_id>/webhooks/", include("crm.webhook_urls")),
    path("<int:hub_id>/settings/task-digest/", include("crm.digest_urls")),
    path("<int:hub_id>/lists/", include("crm.list_urls")),
    path("<int:hub_id>/form-submissions/", include("crm.form_urls")),
    path("<int:hub_id>/settings/records/", include("crm.settings_urls")),
    path("<int:hub_id>/imports/", include("crm.import_urls")),
    path("<int:hub_id>/workflows/", include("crm.workflow_urls")),
    path("<int:hub_id>/records/", index.records, name="records"),
    path("<int:hub_id>/records/people/", around.people, name="people"),
    path("<int:hub_id>/records/start/", around.start, name="start"),
    path("<int:hub_id>/assigned/", assigned.mine, name="assignments"),
    path("<int:hub_id>/assigned/<pk:window_id>/", assigned.window, name="assigned"),
    path("<int:hub_id>/data-quality/anomalies/", anomalies.listed, name="anomalies"),
    path("<int:hub_id>/data-quality/anomalies/<pk:anomaly_id>/", anomalies.one, name="anomaly"),
    path("<int:hub_id>/data-quality/duplicates/", duplicates.everywhere, name="duplicates-everywhere"),
    path("<int:hub_id>/<kind:kind>/", index.index, name="index"),
    path("<int:hub_id>/<kind:kind>/board/", board.board, name="board"),
    path("<int:hub_id>/<kind:kind>/board/<pk:stage_id>/", board.more, name="board-more"),
    path("<int:hub_id>/<kind:kind>/new/", editing.new, name="new"),
    path("<int:hub_id>/<kind:kind>/bin/", around.bin_of, name="bin"),
    path("<int:hub_id>/<kind:kind>/bulk/", bulk.start, name="bulk"),
    path("<int:hub_id>/<kind:kind>/bulk/<pk:job_id>/", bulk.job, name="bulk-job"),
    path("<int:hub_id>/<kind:kind>/bulk/<pk:job_id>/cancel/", bulk.cancel, name="bulk-cancel"),
    path("<int:hub_id>/<kind:kind>/export/", exports.new, name="export-new"),
    path("<int:hub_id>/<kind:kind>/columns/", index.choose_columns, name="columns"),
    path("<int:hub_id>/<kind:kind>/views/", index.save_view, name="save-view"),
    path("<int:hub_id>/<kind:kind>/views/<pk:view_id>/delete/", index.delete_view, name="delete-view"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/", record.page, name="record"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/edit/", editing.edit, name="edit"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/timeline/", record.timeline, name="timeline"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/associations/", record.associations, name="associations"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/duplicates/", duplicates.of_record, name="duplicates"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/workflows/", workflow_log.of_record, name="record-workflows"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/follow/", record.follow, name="follow"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/complete/", record.complete, name="complete"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/move/", board.move, name="move"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/delete/", record.delete, name="delete"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/restore/", record.restore, name="restore"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/activities/", activities.log, name="log"),
    path("<int:hub_id>/<kind:kind>/<pk:pk>/activities/<pk:activity_id>/", activities.one, name="activity"),
    path(
        "<int:hub_id>/<kind:kind>/<pk:pk>/activities/<pk:activity_id>/comments/",
        activities.comment,
        name="comment",
    ),
    path(
        "<int:hub_id>/<kind:kind>/<pk:pk>/activities/<pk:activity_id>/delete/",
        activities.delete,
        name="delete-activity",
    ),
]
