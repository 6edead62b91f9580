"""Uploads stop at the size that is allowed, before they fill a disk."""

from typing import Any

from django.conf import settings
from django.core.files.uploadhandler import FileUploadHandler, StopUpload

TOO_LARGE = "bellhop.upload_too_large"  # set in the request's META when a file was cut off


class BoundedUpload(FileUploadHandler):
    """Counts the bytes of each file. What is too large is read to its end and not kept, so that the page can say so."""

    def new_file(self, *given: Any, **more: Any) -> None:
        super().new_file(*given, **more)
        self.size = 0

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        self.size += len(raw_data)
        if self.size > settings.IMPORT_LARGEST_BYTES:
            if self.request is not None:
                self.request.META[TOO_LARGE] = "yes"
            raise StopUpload(connection_reset=False)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        return None
