"""The admin pages of people and accounts."""

from accounts.admin import accounts, api_keys, members, people

__all__ = ["accounts", "api_keys", "members", "people"]
