"""What happens to records, posted to endpoints that super admins register.

`listening` writes what is to be posted, in the transaction that follows the happening; `carrying` posts it, with
retries; `registering` and `looking_back` are for the people who look after it.
"""
