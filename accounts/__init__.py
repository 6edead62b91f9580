"""The people who sign in and the account they work in: members, teams, roles, seats, plans, API keys.

Imports no other app.
"""
