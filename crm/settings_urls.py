"""Settings › Records."""

from django.urls import path

from crm.views.settings import access, kinds, pipelines, properties

urlpatterns = [
    path("", kinds.index, name="record-settings"),
    path("<kind:kind>/", kinds.kind, name="settings-kind"),
    path("<kind:kind>/properties/new/", properties.new, name="settings-new-property"),
    path("<kind:kind>/properties/<pk:property_id>/", properties.one, name="settings-property"),
    path("<kind:kind>/properties/<pk:property_id>/move/", properties.move, name="settings-move-property"),
    path("<kind:kind>/properties/<pk:property_id>/archive/", properties.archive, name="settings-archive-property"),
    path("<kind:kind>/pipelines/new/", pipelines.new, name="settings-new-pipeline"),
    path("<kind:kind>/pipelines/<pk:pipeline_id>/", pipelines.one, name="settings-pipeline"),
    path("<kind:kind>/pipelines/<pk:pipeline_id>/move/", pipelines.move, name="settings-move-pipeline"),
    path("<kind:kind>/pipelines/<pk:pipeline_id>/remove/", pipelines.remove, name="settings-remove-pipeline"),
    path("<kind:kind>/pipelines/<pk:pipeline_id>/stages/", pipelines.add_stage, name="settings-add-stage"),
    path("<kind:kind>/stages/<pk:stage_id>/", pipelines.stage, name="settings-stage"),
    path("<kind:kind>/stages/<pk:stage_id>/move/", pipelines.move_stage, name="settings-move-stage"),
    path("<kind:kind>/stages/<pk:stage_id>/remove/", pipelines.remove_stage, name="settings-remove-stage"),
    path("<kind:kind>/access/", access.page, name="settings-access"),
    path("<kind:kind>/access/<pk:member_id>/", access.change, name="settings-reach"),
]
