"""Records that look like one: found in the background, merged or dismissed by a member."""

CHECKED = frozenset({"contacts", "companies"})
"""The kinds that are checked."""
