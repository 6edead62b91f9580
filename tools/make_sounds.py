#!/usr/bin/env python3
"""Make the six pop-up sounds (N-032): static/sounds/<key>.wav, sums of decaying sine waves. Needs nothing installed.

    python tools/make_sounds.py

The files are kept in the repository; a test holds them equal to what this makes, byte for byte.
"""

import io
import math
import random
import wave
from array import array
from collections.abc import Callable
from pathlib import Path

RATE = 22_050  # samples a second
PEAK = 0.6  # of full scale: nobody is to be startled
FADE = 0.15  # seconds at the end
ATTACK = 0.004  # seconds at the beginning of a stroke, so that nothing clicks
FOLDER = Path(__file__).resolve().parent.parent / "static" / "sounds"

Samples = list[float]
Partial = tuple[float, float, float]  # times the pitch, how loud, seconds until it is at a third

BELL: list[Partial] = [(0.5, 0.25, 0.5), (1, 1, 0.32), (2, 0.45, 0.2), (3.01, 0.2, 0.11), (4.2, 0.1, 0.06)]
GLASS: list[Partial] = [(1, 1, 0.3), (1.003, 0.6, 0.3), (2.32, 0.35, 0.16), (4.25, 0.12, 0.06)]
BAR: list[Partial] = [(1, 1, 0.14), (3.93, 0.3, 0.045), (9.24, 0.1, 0.018)]  # as a marimba's is tuned
METAL: list[Partial] = [(1, 0.8, 0.4), (1.006, 0.5, 0.4), (2.76, 0.5, 0.22), (5.4, 0.22, 0.09), (8.93, 0.1, 0.03)]
WOOD: list[Partial] = [(1, 1, 0.035), (1.59, 0.6, 0.025), (2.92, 0.3, 0.015)]


def silence(seconds: float) -> Samples:
    return [0.0] * round(seconds * RATE)


def strike(into: Samples, at: float, pitch: float, partials: list[Partial], loud: float = 1.0) -> None:
    """Add one stroke on something that rings."""
    start = round(at * RATE)
    for times, strength, decay in partials:
        step = 2 * math.pi * pitch * times / RATE
        for i in range(len(into) - start):
            moment = i / RATE
            rise = min(1.0, moment / ATTACK)
            into[start + i] += loud * strength * rise * math.exp(-moment / decay) * math.sin(step * i)


def drop(into: Samples, at: float, low: float, high: float, loud: float) -> None:
    """Add a drop of water: a tone that glides upwards and is gone."""
    start, angle = round(at * RATE), 0.0
    for i in range(len(into) - start):
        moment = i / RATE
        pitch = low + (high - low) * (1 - math.exp(-moment / 0.045))
        angle += 2 * math.pi * pitch / RATE
        into[start + i] += loud * min(1.0, moment / 0.012) * math.exp(-moment / 0.07) * math.sin(angle)


def tap(into: Samples, at: float, loud: float) -> None:
    """Add the short dull noise of a knuckle. The same noise every time."""
    start, noise, level = round(at * RATE), random.Random(7), 0.0  # noqa: S311 (it is only to be heard)
    for i in range(round(0.03 * RATE)):
        level += 0.25 * (noise.uniform(-1, 1) - level)
        into[start + i] += loud * level * min(1.0, i / 40) * math.exp(-i / RATE / 0.008)


def chime() -> Samples:
    """Two bells, the second one a fourth higher."""
    sound = silence(0.9)
    strike(sound, 0, 659.26, BELL, 0.8)
    strike(sound, 0.14, 880.0, BELL)
    return sound


def glass() -> Samples:
    """A fingernail at the rim of a glass."""
    sound = silence(0.8)
    strike(sound, 0, 1864.66, GLASS)
    return sound


def knock() -> Samples:
    """Two knocks on a wooden door."""
    sound = silence(0.36)
    for at, loud in ((0, 1.0), (0.15, 0.8)):
        strike(sound, at, 196.0, WOOD, loud)
        tap(sound, at, 0.8 * loud)
    return sound


def marimba() -> Samples:
    """Three bars going up a chord."""
    sound = silence(0.7)
    for at, pitch in ((0, 523.25), (0.1, 659.26), (0.2, 783.99)):
        strike(sound, at, pitch, BAR)
    return sound


def ripple() -> Samples:
    """Three drops of water, each smaller than the one before."""
    sound = silence(0.6)
    for at, low, loud in ((0, 420, 1.0), (0.13, 560, 0.7), (0.25, 700, 0.45)):
        drop(sound, at, low, low * 2.1, loud)
    return sound


def desk_bell() -> Samples:
    """The bell at the reception, struck once."""
    sound = silence(0.9)
    strike(sound, 0, 1174.66, METAL)
    return sound


SOUNDS: dict[str, Callable[[], Samples]] = {
    "chime": chime,
    "glass": glass,
    "knock": knock,
    "marimba": marimba,
    "ripple": ripple,
    "desk_bell": desk_bell,
}


def finished(sound: Samples) -> bytes:
    """The WAV file: as loud as the others, silent at the end; mono, 16 bits."""
    loudest = max(map(abs, sound))
    fade = round(FADE * RATE)
    levels = array("h")
    for i, level in enumerate(sound):
        left = min(1.0, (len(sound) - 1 - i) / fade)
        levels.append(round(level / loudest * PEAK * left * 32_767))
    if array("h", [1]).tobytes() != b"\x01\x00":
        levels.byteswap()
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(RATE)
        out.writeframes(levels.tobytes())
    return file.getvalue()


if __name__ == "__main__":
    for key, make in SOUNDS.items():
        (FOLDER / f"{key}.wav").write_bytes(finished(make()))
        print(FOLDER / f"{key}.wav")
