from django.urls import path

from notifications.views import reference

urlpatterns = [
    path("", reference.types_page, name="types"),
    path("<str:type_key>/mail/", reference.mail, name="types-mail"),
]
