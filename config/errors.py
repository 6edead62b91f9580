"""What the running side says when it cannot go on."""


class Refusal(Exception):
    """Something a person can put right. Its text is one sentence for them; it is never shown as a traceback."""
