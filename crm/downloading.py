"""Handing out the file of an export, piece by piece: constant memory, whatever its size and whoever serves us."""

from collections.abc import AsyncIterator

from asgiref.sync import sync_to_async
from django.http import StreamingHttpResponse

from crm import exporting
from crm.models import Export


def file(request: object, export: Export) -> StreamingHttpResponse:
    """The whole file as a download. Django would gather a stream of the other sort in memory first, so it is of the
    server's own: see StreamingHttpResponse."""
    is_async = hasattr(request, "scope")  # an ASGI server asks
    stream = _pieces(export) if is_async else exporting.content(export)
    answer = StreamingHttpResponse(stream, content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{export.file}"'
    answer["Content-Length"] = str(export.size)
    return answer


async def _pieces(export: Export) -> AsyncIterator[bytes]:
    number = 0
    while (piece := await sync_to_async(exporting.piece_of)(export, number)) is not None:
        yield piece
        number += 1
