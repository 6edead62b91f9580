"""The pages behind the links in mails, and the outbox of an installation without a mail server."""

from django.urls import path

from notifications.views import mail, sandbox

urlpatterns = [
    path("u/one-click/<str:token>/", mail.one_click, name="unsubscribe-one-click"),
    path("u/<str:token>/", mail.unsubscribe, name="unsubscribe"),
    path("sandbox/", sandbox.outbox, name="sandbox"),
    path("sandbox/<int:pk>/", sandbox.show, name="sandbox-mail"),
    path("sandbox/<int:pk>/html/", sandbox.html, name="sandbox-html"),
    path("sandbox/<int:pk>/raw/", sandbox.raw, name="sandbox-raw"),
]
