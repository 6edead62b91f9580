from django.urls import path

from notifications.views import apps, phones, push, quiet, settings, sounds, what_if

urlpatterns = [
    path("", settings.start, name="settings"),
    path("email/", settings.email, name="settings-email"),
    path("desktop/", settings.desktop, name="settings-desktop"),
    path("other-apps/", settings.other_apps, name="settings-other-apps"),
    path("mobile/", phones.tab, name="settings-mobile"),
    path("phone/", settings.phone, name="settings-phone"),
    path("phones/test/", phones.test, name="phone-test"),
    path("phones/forget/", phones.forget, name="phone-forget"),
    path("quiet-hours/", quiet.page, name="settings-quiet"),
    path("what-if/", what_if.page, name="what-if"),
    path("sound/", sounds.default, name="settings-sound"),
    path("sound/<str:type_key>/", sounds.of_type, name="settings-sound-of"),
    path("browsers/keep/", push.keep, name="push-keep"),
    path("browsers/test/", push.test, name="push-test"),
    path("browsers/forget/", push.forget, name="push-forget"),
    path("apps/slack/start/", apps.slack_start, name="slack-start"),
    path("apps/webhook/rotate/", apps.rotate, name="webhook-rotate"),
    path("apps/webhook/again/", apps.again, name="webhook-again"),
    path("apps/<slug:app>/", apps.one, name="app"),
    path("apps/<slug:app>/test/", apps.test, name="app-test"),
    path("apps/<slug:app>/disconnect/", apps.disconnect, name="app-disconnect"),
    path("<slug:tab>/cell/", settings.cell, name="settings-cell"),
    path("<slug:tab>/topic/", settings.topic, name="settings-topic"),
    path("<slug:tab>/switch/", settings.switch, name="settings-switch"),
    path("<slug:tab>/option/", settings.option, name="settings-option"),
    path("<slug:tab>/clear/", settings.clear, name="settings-clear"),
    path("<slug:tab>/restore/", settings.restore, name="settings-restore"),
    path("example/<str:type_key>/", settings.example, name="example"),
]
