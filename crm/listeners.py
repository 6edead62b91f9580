"""Who follows what happens to records. One line each: see `crm.happenings.Listener` for what such a module offers."""

from crm.happenings import Listener
from crm.lists import following as lists
from crm.webhooks import listening as webhooks
from crm.workflows import following as workflows

ALL: tuple[Listener, ...] = (lists, workflows, webhooks)
