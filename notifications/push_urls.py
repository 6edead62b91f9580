"""What service workers ask for: the same for everybody, whatever account."""

from django.urls import path

from notifications.views import push

urlpatterns = [
    path("sw.js", push.worker, name="service-worker"),
    path("push/key/", push.key, name="push-key"),
    path("push/renew/", push.renew, name="push-renew"),
]
