"""The records (contacts, companies, deals, tickets, tasks, custom objects), assigning and following them,
workflows, mail tracking."""
