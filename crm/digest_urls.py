"""The settings of the task digest."""

from django.urls import path

from crm.views import digests

urlpatterns = [
    path("", digests.digest, name="digest"),
    path("send/", digests.send, name="digest-send"),
    path("skip/", digests.skip, name="digest-skip"),
]
