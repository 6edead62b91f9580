"""Notifications as mail: the links in it, its words and bytes, and the connections that carry it."""
