"""The presets that defaults and profiles can begin with."""

from collections import defaultdict
from typing import Any

from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest
from accounts.api.schema import operation
from notifications import presets
from notifications.api.defaults import AdminDoor
from notifications.presets import Preset


class PresetOut(serializers.Serializer[Any]):
    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    description = serializers.CharField()
    on = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="By channel the types that it turns on; it turns off all others that can be set.",
    )


class PresetsOut(serializers.Serializer[Any]):
    results = PresetOut(many=True)


EXAMPLE = {
    "key": "personal",
    "label": "Mentions and assignments",
    "description": "When somebody mentions the member or gives them something to do: everywhere.",
    "on": {"bell": ["deals.assigned", "deals.mentioned"], "email": ["deals.assigned", "deals.mentioned"]},
}


class Presets(AdminDoor):
    @operation(out=PresetsOut, answer={"results": [EXAMPLE]})
    def get(self, request: ApiRequest) -> Response:
        """List the presets. Send the key of one as `preset` with default preferences or a profile's cells."""
        return Response({"results": [word(preset) for preset in presets.PRESETS.values()]})


def word(preset: Preset) -> dict[str, Any]:
    on: defaultdict[str, list[str]] = defaultdict(list)
    for (type_key, channel), is_on in presets.cells(preset).items():
        if is_on:
            on[channel].append(type_key)
    return {"key": preset.key, "label": str(preset.label), "description": str(preset.words), "on": on}
