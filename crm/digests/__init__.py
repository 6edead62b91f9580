"""Timed mails: the task digest (N-141) and the Friday mail about workflows (N-156).

When the next one is due is a row per member (`DigestSchedule`), what became of each another (`DigestRun`), at most one
per member, kind and local date. `timing` says when, `running` is the tick, `task_lists` and `enrolments` say what is
in it, `schedules` holds what a member chose, `standing` what the settings show, `words` what the mail says.

Whether a member wants the mail is their e-mail preference for its type; the mail itself goes the way of all mails.
"""
