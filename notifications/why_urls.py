from django.urls import path

from notifications.views import why

urlpatterns = [
    path("why/", why.why_not, name="why-not"),
    path("<int:event_id>/why/", why.why, name="why"),
]
