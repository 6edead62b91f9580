"""The records (contacts, companies, deals, tickets, tasks, custom objects), assigning and following them,
workflows, mail tracking.

One model, `Record`, holds all kinds, so that lists, pages, API, search and imports are built once. What differs is
said by the kind: a file in `kinds/`, or rows that a super admin defined; `schema.of(account)` has both. What lists
sort and filter by are columns; the rest is in `Record.values`, by property key.

To read: `Record.objects.live().of(account, kind).visible_to(member)` (for changing: `.editable_by(member)`), then
`records.values_of(record, kind)`; `listing.page(rows, sort=…, after=…, words=…)` is a page of them, found by words.

To write, one function each, called by every door; refusals are `DomainError`s whose `fields` name the properties:

- `records.create`, `change` (with the version that was read), `assign`, `move`, `complete`, `delete`, `restore`
- `associating.associate`, `separate` · `following.follow`, `unfollow`, `mark_opened` (call it when a page is opened)
- `activities.log`, `comment`, `edit`, `delete`; a mention in a text is `mentioning.token(member)`
- `stages.pipelines_of`, `pipelines.add_stage`, `remove_stage` · `defining.define_kind`, `define_property`
- `permissions.set_reach`: who sees and edits which records

Whoever is named in the owner property or a custom user property is assigned: `assigning` tells them five minutes
later, once, what still holds. `timeline` has what changed; `Activity` what was written.
"""
