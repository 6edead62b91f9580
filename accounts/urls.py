from django.urls import path

from accounts import views

app_name = "accounts"
urlpatterns = [
    path("", views.start, name="start"),
    path("sessions/<int:pk>/end/", views.end_session, name="end_session"),
    path("sign-ins/<int:pk>/", views.sign_in, name="sign-in"),
    path("<int:hub_id>/", views.home, name="home"),
]
