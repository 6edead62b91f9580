"""The admin pages of notifications: what applies to everybody, what was changed, what was sent, what happened."""

from notifications.admin import board, changes, charts, deliveries, events, layers, profiles

__all__ = ["board", "changes", "charts", "deliveries", "events", "layers", "profiles"]
