"""The pages of filled-in forms, below /<hub_id>/form-submissions/."""

from django.urls import path

from crm.views import form_submissions

urlpatterns = [
    path("", form_submissions.listed, name="form-submissions"),
    path("<pk:submission_id>/", form_submissions.one, name="form-submission"),
]
