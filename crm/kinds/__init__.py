"""The kinds of records that every account has, one file each. A new one is a file, listed here."""

from crm.kinds import companies, contacts, deals, leads, tasks, tickets
from crm.kinds.base import Kind, Property, Told, Type

BUILT_IN: dict[str, Kind] = {
    module.KIND.key: module.KIND for module in (contacts, companies, deals, tickets, leads, tasks)
}

__all__ = ["BUILT_IN", "Kind", "Property", "Told", "Type"]
