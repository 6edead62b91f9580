"""The pages of webhooks on change, below /<hub_id>/webhooks/."""

from django.urls import path

from crm.views import webhooks

urlpatterns = [
    path("", webhooks.every, name="webhooks"),
    path("new/", webhooks.new, name="webhook-new"),
    path("<pk:webhook_id>/", webhooks.one, name="webhook"),
    path("<pk:webhook_id>/test/", webhooks.test, name="webhook-test"),
    path("<pk:webhook_id>/rotate/", webhooks.rotate, name="webhook-rotate"),
    path("<pk:webhook_id>/turn/", webhooks.turn, name="webhook-turn"),
    path("<pk:webhook_id>/again/", webhooks.again, name="webhook-again"),
    path("<pk:webhook_id>/remove/", webhooks.remove, name="webhook-remove"),
]
