"""The pages of lists, below /<hub_id>/lists/."""

from django.urls import path

from crm.views import list_members, lists

urlpatterns = [
    path("", lists.index, name="lists"),
    path("new/", lists.new, name="list-new"),
    path("preview/", lists.preview, name="list-preview"),
    path("<pk:list_id>/", list_members.page, name="list"),
    path("<pk:list_id>/state/", list_members.state, name="list-state"),
    path("<pk:list_id>/records/", list_members.change, name="list-records"),
    path("<pk:list_id>/edit/", lists.edit, name="list-edit"),
    path("<pk:list_id>/again/", lists.again, name="list-again"),
    path("<pk:list_id>/delete/", lists.delete, name="list-delete"),
]
