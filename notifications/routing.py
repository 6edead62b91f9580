"""The sockets."""

from django.urls import path

from notifications.consumers import LiveConsumer

websocket_urlpatterns = [path("ws/live/<int:hub_id>/", LiveConsumer.as_asgi())]
