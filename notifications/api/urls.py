"""The API's addresses for notifications."""

from django.urls import path

from accounts.api import paths as paths  # registers <row:…>
from notifications.api.bell import (
    Archive,
    BellState,
    Notifications,
    OneNotification,
    Read,
    ReadAll,
    Unarchive,
    Unread,
)
from notifications.api.board import DeliveryBoard, OneRedrive, Redrives, RequiredNotices
from notifications.api.browsers import Browsers, BrowserTest, OneBrowser
from notifications.api.catalogue import OneType, Types
from notifications.api.charts import ChartsDoor
from notifications.api.connections import AllConnections, OneConnection, RotateSecret, TestConnection
from notifications.api.defaults import Changes, DefaultPreferences, Locks, OneLock, UndoChange
from notifications.api.devices import Devices, OneDevice
from notifications.api.events import EventBatch, Events, OneEvent
from notifications.api.preferences import Preferences
from notifications.api.presets import Presets
from notifications.api.profiles import OneProfile, ProfileCellsDoor, Profiles
from notifications.api.quiet import OneSnooze, Pause, QuietHours, Snoozes, WakeSnooze
from notifications.api.what_if import WhatIf
from notifications.api.why import Why

urlpatterns = [
    path("events/", Events.as_view(), name="events"),
    path("events/batch/", EventBatch.as_view(), name="event-batch"),
    path("events/<row:event_id>/", OneEvent.as_view(), name="event"),
    path("notifications/", Notifications.as_view(), name="notifications"),
    path("notifications/state/", BellState.as_view(), name="state"),
    path("notifications/read/", Read.as_view(), name="read"),
    path("notifications/unread/", Unread.as_view(), name="unread"),
    path("notifications/archive/", Archive.as_view(), name="archive"),
    path("notifications/unarchive/", Unarchive.as_view(), name="unarchive"),
    path("notifications/read-all/", ReadAll.as_view(), name="read-all"),
    path("notifications/<row:event_id>/", OneNotification.as_view(), name="notification"),
    path("notifications/<row:event_id>/why/", Why.as_view(), name="why"),
    path("deliveries/board/", DeliveryBoard.as_view(), name="delivery-board"),
    path("deliveries/redrive/", Redrives.as_view(), name="redrives"),
    path("deliveries/redrive/<row:redrive_id>/", OneRedrive.as_view(), name="redrive"),
    path("deliveries/unreached/", RequiredNotices.as_view(), name="unreached"),
    path("charts/", ChartsDoor.as_view(), name="charts"),
    path("devices/", Devices.as_view(), name="devices"),
    path("devices/<row:device_id>/", OneDevice.as_view(), name="device"),
    path("types/", Types.as_view(), name="types"),
    path("types/<str:key>/", OneType.as_view(), name="type"),
    path("preferences/", Preferences.as_view(), name="preferences"),
    path("connections/", AllConnections.as_view(), name="connections"),
    path("connections/webhook/rotate/", RotateSecret.as_view(), name="rotate-secret"),
    path("connections/<str:app>/", OneConnection.as_view(), name="connection"),
    path("connections/<str:app>/test/", TestConnection.as_view(), name="test-connection"),
    path("quiet-hours/", QuietHours.as_view(), name="quiet-hours"),
    path("pause/", Pause.as_view(), name="pause"),
    path("snoozes/", Snoozes.as_view(), name="snoozes"),
    path("snoozes/<row:event_id>/", OneSnooze.as_view(), name="snooze"),
    path("snoozes/<row:event_id>/wake/", WakeSnooze.as_view(), name="wake"),
    path("what-if/", WhatIf.as_view(), name="what-if"),
    path("browsers/", Browsers.as_view(), name="browsers"),
    path("browsers/<row:browser_id>/", OneBrowser.as_view(), name="browser"),
    path("browsers/<row:browser_id>/test/", BrowserTest.as_view(), name="browser-test"),
    path("default-preferences/", DefaultPreferences.as_view(), name="default-preferences"),
    path("presets/", Presets.as_view(), name="presets"),
    path("profiles/", Profiles.as_view(), name="profiles"),
    path("profiles/<row:profile_id>/", OneProfile.as_view(), name="profile"),
    path("profiles/<row:profile_id>/cells/", ProfileCellsDoor.as_view(), name="profile-cells"),
    path("locks/", Locks.as_view(), name="locks"),
    path("locks/<row:lock_id>/", OneLock.as_view(), name="lock"),
    path("preference-changes/", Changes.as_view(), name="preference-changes"),
    path("preference-changes/<row:change_id>/undo/", UndoChange.as_view(), name="undo"),
]
