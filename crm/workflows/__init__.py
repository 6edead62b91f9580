"""Workflows: what is done with records by rule.

`writing` saves what a super admin composed; `enrolling` puts records in; `running` takes them through, step by step,
each step one transaction; `actions` has one file per thing a step can do. `drafting` and `saving` serve the editor. The
rows are in `crm/models/workflows.py`.
"""
