#!/usr/bin/env python3
"""Draw the application's icons as PNG files: static/img/app/. The same shapes as mark.svg. Needs nothing installed.

    python tools/make_icons.py

A phone cuts a “maskable” icon into its own shape, so there the mark is smaller and the ground reaches the edges.
The files are kept in the repository; a test holds them equal to what this draws, pixel by pixel.
"""

import struct
import zlib
from collections.abc import Callable
from math import hypot
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "static" / "img" / "app"
GRID = 32  # the side of mark.svg
GREEN, WHITE, BRASS = (0x13, 0x69, 0x5A), (0xFF, 0xFF, 0xFF), (0xE6, 0xBD, 0x66)

Colour = tuple[int, int, int]
Distance = Callable[[float, float], float]  # from the edge of a shape, negative inside


def box(left: float, top: float, width: float, height: float, corner: float) -> Distance:
    """A rectangle with round corners."""
    middle_x, middle_y = left + width / 2, top + height / 2
    half_x, half_y = width / 2 - corner, height / 2 - corner

    def distance(x: float, y: float) -> float:
        away_x, away_y = abs(x - middle_x) - half_x, abs(y - middle_y) - half_y
        return hypot(max(away_x, 0), max(away_y, 0)) + min(max(away_x, away_y), 0) - corner

    return distance


def disc(x0: float, y0: float, radius: float) -> Distance:
    return lambda x, y: hypot(x - x0, y - y0) - radius


def dome(x0: float, y0: float, radius: float) -> Distance:
    """The upper half of a disc."""
    return lambda x, y: max(hypot(x - x0, y - y0) - radius, y - y0)


def gleam(x: float, y: float) -> float:
    """The short arc of light on the bell: a stroke with round ends."""
    x0, y0, radius, half = 16.01, 21.71, 6.2, 0.7
    from_x, from_y, to_x, to_y = 10.0, 20.2, 13.6, 16.0
    right, down = x - x0, y - y0
    is_past_start = (from_x - x0) * down - (from_y - y0) * right >= 0
    is_before_end = right * (to_y - y0) - down * (to_x - x0) >= 0
    if is_past_start and is_before_end:
        return abs(hypot(right, down) - radius) - half
    return min(hypot(x - from_x, y - from_y), hypot(x - to_x, y - to_y)) - half


BELL: list[tuple[Distance, Colour]] = [
    (dome(16, 22.5, 9.5), WHITE),
    (box(4.8, 23.6, 22.4, 2.9, 1.45), BRASS),
    (box(14.9, 10, 2.2, 3.5, 0), BRASS),
    (disc(16, 8.6, 2.3), BRASS),
    (gleam, GREEN),
]
TILE: list[tuple[Distance, Colour]] = [(box(0, 0, 32, 32, 8), GREEN)]
FULL: list[tuple[Distance, Colour]] = [(box(-9, -9, 50, 50, 0), GREEN)]

ICONS = {  # file → side in pixels, ground, how large the bell is on it
    "icon-192.png": (192, TILE, 1.0),
    "icon-512.png": (512, TILE, 1.0),
    "maskable-192.png": (192, FULL, 0.88),
    "maskable-512.png": (512, FULL, 0.88),
    "touch-180.png": (180, FULL, 0.9),
}
BADGE = ("badge-96.png", 96)  # what Android shows in the status bar: only its outline counts


def draw(side: int, ground: list[tuple[Distance, Colour]], bell: float) -> bytes:
    """The pixels of an icon, as RGBA."""
    rows = bytearray()
    for row in range(side):
        for column in range(side):
            x, y = (column + 0.5) * GRID / side, (row + 0.5) * GRID / side
            inner_x, inner_y = (x - 16) / bell + 16, (y - 16.9) / bell + 16.9
            colour, alpha = (0.0, 0.0, 0.0), 0.0
            for shape, paint in ground:
                colour, alpha = over(colour, alpha, paint, covered(shape(x, y), side))
            for shape, paint in BELL:
                colour, alpha = over(colour, alpha, paint, covered(shape(inner_x, inner_y) * bell, side))
            rows += bytes((*(round(part) for part in colour), round(alpha * 255)))
    return bytes(rows)


def draw_badge(side: int) -> bytes:
    """The bell in white on nothing."""
    rows = bytearray()
    for row in range(side):
        for column in range(side):
            x, y = (column + 0.5) * GRID / side, (row + 0.5) * GRID / side
            x, y = (x - 16) * 0.8 + 16, (y - 16) * 0.8 + 16.4
            alpha = max(covered(shape(x, y) / 0.8, side) for shape, _paint in BELL[:4])
            alpha *= 1 - covered(gleam(x, y) / 0.8, side)
            rows += bytes((255, 255, 255, round(alpha * 255)))
    return bytes(rows)


def covered(distance: float, side: int) -> float:
    """How much of a pixel lies inside."""
    return min(1.0, max(0.0, 0.5 - distance * side / GRID))


def over(
    colour: tuple[float, float, float], alpha: float, paint: Colour, share: float
) -> tuple[tuple[float, float, float], float]:
    """Paint laid over what is there."""
    if share == 0:
        return colour, alpha
    whole = share + alpha * (1 - share)
    red, green, blue = (
        (new * share + old * alpha * (1 - share)) / whole for new, old in zip(paint, colour, strict=True)
    )
    return (red, green, blue), whole


def packed(side: int, pixels: bytes) -> bytes:
    """A PNG file."""
    lines = b"".join(b"\0" + pixels[at : at + side * 4] for at in range(0, len(pixels), side * 4))
    head = struct.pack(">IIBBBBB", side, side, 8, 6, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in ((b"IHDR", head), (b"IDAT", zlib.compress(lines, 9)), (b"IEND", b""))
    )


def pixels_of(file: bytes) -> bytes:
    """The pixels in a PNG file that `packed` wrote."""
    side = struct.unpack(">I", file[16:20])[0]
    (length,) = struct.unpack(">I", file[33:37])
    lines = zlib.decompress(file[41 : 41 + length])
    return b"".join(lines[at + 1 : at + 1 + side * 4] for at in range(0, len(lines), side * 4 + 1))


def main() -> None:
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, (side, ground, bell) in ICONS.items():
        (FOLDER / name).write_bytes(packed(side, draw(side, ground, bell)))
    name, side = BADGE
    (FOLDER / name).write_bytes(packed(side, draw_badge(side)))


if __name__ == "__main__":
    main()
