"""The pages of workflows."""

from django.urls import path

from crm.views import workflow_editor, workflow_log, workflows

urlpatterns = [
    path("", workflows.everything, name="workflows"),
    path("new/", workflows.new, name="workflow-new"),
    path("<pk:workflow_id>/", workflow_editor.editor, name="workflow"),
    path("<pk:workflow_id>/delete/", workflows.delete, name="workflow-delete"),
    path("<pk:workflow_id>/test/", workflow_log.test, name="workflow-test"),
    path("<pk:workflow_id>/log/", workflow_log.log, name="workflow-log"),
    path("<pk:workflow_id>/log/enrol-all/", workflow_log.enrol_all, name="workflow-enrol-all"),
    path("<pk:workflow_id>/log/<pk:enrolment_id>/cancel/", workflow_log.cancel, name="workflow-cancel"),
]
