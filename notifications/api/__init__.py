"""Notifications for programs: events in, notifications, preferences and their layers out."""
