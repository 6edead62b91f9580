"""The base of every refusal a domain function can give."""

from collections.abc import Mapping, Sequence

from django.utils.functional import Promise


class DomainError(Exception):
    """A refusal that people may read: a stable `code`, a sentence, and the fields it is about.

    Each kind of door words it once: a flash message, an RFC 9457 problem, a socket's `refused`.
    """

    code = "refused"
    status = 409

    def __init__(self, sentence: str | Promise, *, fields: Mapping[str, Sequence[str | Promise]] | None = None) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.fields = {name: [str(line) for line in lines] for name, lines in (fields or {}).items()}

    def __str__(self) -> str:
        return str(self.sentence)
