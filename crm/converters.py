"""How a kind of record is written in addresses: "contacts", "objects/berths"."""

from crm.kinds import BUILT_IN


class KindConverter:
    """Between the words of an address and the key of a kind. Whether the account has it is the door's to ask."""

    regex = "|".join([*BUILT_IN, "objects/[a-z][a-z0-9_]{0,59}"])

    def to_python(self, value: str) -> str:
        return value.removeprefix("objects/")

    def to_url(self, value: str) -> str:
        return value if value in BUILT_IN else f"objects/{value}"
