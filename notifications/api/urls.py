"""The API's addresses for notifications."""

from django.urls import path

from accounts.api import paths as paths  # registers <row:…>
from notifications.api.events import EventBatch, Events, OneEvent

urlpatterns = [
    path("events/", Events.as_view(), name="events"),
    path("events/batch/", EventBatch.as_view(), name="event-batch"),
    path("events/<row:event_id>/", OneEvent.as_view(), name="event"),
]
