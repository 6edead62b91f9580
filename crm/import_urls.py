"""The pages of imports, below /<hub_id>/imports/."""

from django.urls import path

from crm.views import import_one, imports

urlpatterns = [
    path("", imports.history, name="imports"),
    path("new/", imports.new, name="import-new"),
    path("<pk:import_id>/", import_one.one, name="import"),
    path("<pk:import_id>/mapping/", imports.mapping, name="import-mapping"),
    path("<pk:import_id>/start/", import_one.start, name="import-start"),
    path("<pk:import_id>/cancel/", import_one.cancel, name="import-cancel"),
    path("<pk:import_id>/rollback/", import_one.roll_back, name="import-rollback"),
    path("<pk:import_id>/outcomes.csv", import_one.download, name="import-outcomes"),
]
