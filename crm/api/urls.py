"""The API's addresses for records."""

from django.urls import path

from accounts.api import paths as paths  # registers <row:…>
from crm.api import access, around, defining, digests, form_submissions, imports, pipelines, records
from crm.api import around, defining, digests, exports, records
from crm.api import around, defining, digests, exports, records, webhooks

urlpatterns = [
    path("digest/", digests.Digest.as_view(), name="digest"),
    path("digest/send/", digests.SendDigest.as_view(), name="digest-send"),
    path("crm/kinds/", defining.Kinds.as_view(), name="record-kinds"),
    path("crm/kinds/<slug:kind_id>/", defining.OneKind.as_view(), name="record-kind"),
    path("crm/properties/", defining.OwnProperties.as_view(), name="properties"),
    path("crm/properties/<row:property_id>/", defining.OneProperty.as_view(), name="property"),
    path("crm/pipelines/", defining.Pipelines.as_view(), name="pipelines"),
    path("crm/pipelines/<row:pipeline_id>/stages/", defining.Stages.as_view(), name="stages"),
    path("crm/stages/<row:stage_id>/", defining.OneStage.as_view(), name="stage"),
    path("crm/form-submissions/", form_submissions.FormSubmissions.as_view(), name="form-submissions"),
    path("crm/properties/<row:property_id>/restore/", defining.RestoreProperty.as_view(), name="property-restore"),
    path("crm/pipelines/", pipelines.Pipelines.as_view(), name="pipelines"),
    path("crm/pipelines/<row:pipeline_id>/", pipelines.OnePipeline.as_view(), name="pipeline"),
    path("crm/pipelines/<row:pipeline_id>/stages/", pipelines.Stages.as_view(), name="stages"),
    path("crm/stages/<row:stage_id>/", pipelines.OneStage.as_view(), name="stage"),
    path("crm/access/", access.AllAccess.as_view(), name="record-access"),
    path("crm/access/<row:member_id>/", access.OneAccess.as_view(), name="record-access-of"),
    path("crm/exports/", exports.Exports.as_view(), name="exports"),
    path("crm/exports/<row:export_id>/", exports.OneExport.as_view(), name="export"),
    path("crm/exports/<row:export_id>/download/", exports.DownloadExport.as_view(), name="export-download"),
    path("crm/webhooks/", webhooks.Webhooks.as_view(), name="webhooks"),
    path("crm/webhooks/<row:webhook_id>/", webhooks.OneWebhook.as_view(), name="webhook"),
    path("crm/webhooks/<row:webhook_id>/rotate/", webhooks.RotateWebhook.as_view(), name="webhook-rotate"),
    path("crm/webhooks/<row:webhook_id>/test/", webhooks.TestWebhook.as_view(), name="webhook-test"),
    path("crm/webhooks/<row:webhook_id>/attempts/", webhooks.WebhookAttempts.as_view(), name="webhook-attempts"),
    path(
        "crm/webhooks/<row:webhook_id>/posts/<row:post_id>/send/",
        webhooks.SendWebhookPost.as_view(),
        name="webhook-send",
    ),
    path("crm/records/", records.Records.as_view(), name="records"),
    path("crm/records/search/", records.Search.as_view(), name="record-search"),
    path("crm/records/batch/", records.Batch.as_view(), name="record-batch"),
    path("crm/records/<row:record_id>/", records.OneRecord.as_view(), name="record"),
    path("crm/records/<row:record_id>/restore/", records.Restore.as_view(), name="record-restore"),
    path("crm/records/<row:record_id>/merge/", records.Merge.as_view(), name="record-merge"),
    path("crm/records/<row:record_id>/history/", records.History.as_view(), name="record-history"),
    path("crm/records/<row:record_id>/associations/", around.Associations.as_view(), name="associations"),
    path(
        "crm/records/<row:record_id>/associations/<row:other_id>/",
        around.OneAssociation.as_view(),
        name="association",
    ),
    path("crm/records/<row:record_id>/activities/", around.Activities.as_view(), name="activities"),
    path("crm/records/<row:record_id>/followers/", around.Followers.as_view(), name="followers"),
    path("crm/records/<row:record_id>/followers/<row:follower_id>/", around.OneFollower.as_view(), name="follower"),
    path("crm/imports/", imports.Imports.as_view(), name="imports"),
    path("crm/imports/<row:import_id>/", imports.OneImport.as_view(), name="import"),
    path("crm/imports/<row:import_id>/rows/", imports.Rows.as_view(), name="import-rows"),
    path("crm/imports/<row:import_id>/start/", imports.Start.as_view(), name="import-start"),
    path("crm/imports/<row:import_id>/cancel/", imports.Cancel.as_view(), name="import-cancel"),
    path("crm/imports/<row:import_id>/rollback/", imports.RollBack.as_view(), name="import-rollback"),
    path("crm/activities/<row:activity_id>/", around.OneActivity.as_view(), name="activity"),
    path("crm/activities/<row:activity_id>/comments/", around.Comments.as_view(), name="comments"),
]
