"""The bytes of a file as rows of the database: every worker reads them, and they are gone with their import."""

import io
from collections.abc import Iterator

from crm.models import ImportJob, ImportPiece

PIECE = 1024 * 1024


def keep(job: ImportJob, content: bytes) -> None:
    """Store a file, in the caller's transaction."""
    ImportPiece.objects.bulk_create(
        (
            ImportPiece(job=job, number=number, data=content[start : start + PIECE])
            for number, start in enumerate(range(0, len(content), PIECE))
        ),
        batch_size=8,
    )


def forget(job: ImportJob) -> None:
    """The file is not needed any more: its rows are read, or it is discarded."""
    ImportPiece.objects.filter(job=job).delete()


def beginning(job: ImportJob, size: int) -> bytes:
    """The first bytes, at most a piece."""
    first = ImportPiece.objects.filter(job=job, number=0).values_list("data", flat=True).first()
    return bytes(first or b"")[:size]


def text(job: ImportJob, *, encoding: str, start: int) -> io.TextIOWrapper:
    """The file from a byte on, as lines with their own ends: only \\n, \\r and \\r\\n end one."""
    return io.TextIOWrapper(io.BufferedReader(_Pieces(job, start)), encoding, errors="strict", newline="")


def pieces(job: ImportJob, start: int = 0) -> Iterator[bytes]:
    """The bytes from `start` on, a piece at a time."""
    number, skip = divmod(start, PIECE)
    rows = ImportPiece.objects.filter(job=job, number__gte=number).order_by("number")
    for data in rows.values_list("data", flat=True).iterator(chunk_size=1):
        yield bytes(data)[skip:]
        skip = 0


class _Pieces(io.RawIOBase):
    """Reads as a file what is stored in pieces."""

    def __init__(self, job: ImportJob, start: int) -> None:
        super().__init__()
        self.left = pieces(job, start)
        self.piece = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "memoryview | bytearray") -> int:  # type: ignore[override]
        while not self.piece:
            following = next(self.left, None)
            if following is None:
                return 0
            self.piece = memoryview(following)
        number = min(len(buffer), len(self.piece))
        buffer[:number], self.piece = self.piece[:number], self.piece[number:]
        return number
