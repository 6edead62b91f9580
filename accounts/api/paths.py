"""Ids in addresses."""

from django.urls import register_converter

LARGEST_ID = 2**63 - 1


class RowId:
    """A row's id. A number that no row can have leads nowhere, like any other unknown address."""

    regex = "[0-9]{1,19}"

    def to_python(self, value: str) -> int:
        number = int(value)
        if number > LARGEST_ID:
            raise ValueError
        return number

    def to_url(self, value: int) -> str:
        return str(value)


register_converter(RowId, "row")
