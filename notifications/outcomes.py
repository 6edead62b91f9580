"""What became of an event, in counts: how many recipients were told where, and by which layer's word. Pure."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from notifications import channels, resolution
from notifications.models import Held
from notifications.resolution import Choice, Layers


@dataclass
class ChannelCount:
    """One channel: recipients by the layer that turned it on or off for them."""

    on: Counter[str] = field(default_factory=Counter)
    off: Counter[str] = field(default_factory=Counter)

    def as_json(self) -> dict[str, Any]:
        return {
            "on": self.on.total(),
            "on_by": dict(sorted(self.on.items())),
            "off": self.off.total(),
            "off_by": dict(sorted(self.off.items())),
        }


def summarise(outcome: Iterable[Sequence[int]], layers: Mapping[str, Any] | None) -> dict[str, Any]:
    """`Event.outcome` and `Event.layers` as {"channels": {"email": {"on": 2, "on_by": {"own": 2}, …}}, "held": {…}}.

    Every recipient is counted once per channel, or once under `held` when they were told nothing at all.
    """
    said = Layers.from_json(layers) if layers else Layers(offered=0)
    by_channel: defaultdict[str, ChannelCount] = defaultdict(ChannelCount)
    held: Counter[str] = Counter()
    for on, own, off, profiles, reason, count in outcome:
        if reason != Held.NOT:
            held[Held(reason).name.lower()] += count
            continue
        answer = resolution.resolve(
            said, own=Choice(own, own & on), switched_off=off, profiles=profiles, bits=channels.BITS
        )
        for channel in channels.ALL:
            side = by_channel[channel.key].on if answer.channels & channel.bit else by_channel[channel.key].off
            side[str(answer.layers[channel.bit])] += count
    return {
        "channels": {channel.key: by_channel[channel.key].as_json() for channel in channels.ALL},
        "held": dict(sorted(held.items())),
    }
