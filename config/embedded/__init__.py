"""PostgreSQL and Redis as child processes of our own, for a machine that has neither, and for the tests.

The programs come from wheels. They listen on unix sockets only, end with the process that started them, and what a
`kill -9` left behind is recognised at the next start.
"""
