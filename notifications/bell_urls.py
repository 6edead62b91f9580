"""The bell: its panel, the page of all notifications, and what one can do with them."""

from django.urls import path

from notifications.views import bell, quiet, snoozing

urlpatterns = [
    path("", bell.listing, name="list"),
    path("bell/", bell.panel, name="bell"),
    path("state/", bell.state, name="state"),
    path("read/", bell.read, name="read"),
    path("unread/", bell.unread, name="unread"),
    path("read-all/", bell.read_all, name="read-all"),
    path("archive/", bell.archive, name="archive"),
    path("unarchive/", bell.unarchive, name="unarchive"),
    path("mute/", bell.mute, name="mute"),
    path("sound/", bell.sound, name="sound"),
    path("pause/", quiet.pause, name="pause"),
    path("resume/", quiet.resume, name="resume"),
    path("silence/", quiet.note, name="silence"),
    path("snoozed/", snoozing.listing, name="snoozed"),
    path("<int:event_id>/wake/", snoozing.wake, name="wake"),
    path("<int:event_id>/snooze/", snoozing.snooze, name="snooze"),
    path("<int:event_id>/unsnooze/", snoozing.undo, name="unsnooze"),
    path("<int:event_id>/open/", bell.open_one, name="open"),
    path("<int:event_id>/menu/", bell.menu, name="menu"),
]
