"""Lists, a page at a time. A page begins after the last row of the one before, so new rows shift nothing."""

import base64
import binascii
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.response import Response

from accounts.api.doors import ApiRequest
from accounts.api.fields import AskedWhole, Strict
from accounts.api.paths import LARGEST_ID

USUAL, MOST = 50, 200


@extend_schema_field({"type": "string", "maxLength": 40})
class Cursor(serializers.Field[Any, Any, Any, Any]):
    """The place where a page begins. Opaque: taken from `next`."""

    default_error_messages = {"invalid": _("Take the cursor from the “next” of an answer.")}

    def to_internal_value(self, data: Any) -> int:
        try:
            place = int(base64.urlsafe_b64decode(f"{data[:40]}==".encode()).decode())
        except (ValueError, binascii.Error):
            self.fail("invalid")
        if not 0 <= place <= LARGEST_ID:
            self.fail("invalid")
        return place


def cursor_at(place: int) -> str:
    return base64.urlsafe_b64encode(str(place).encode()).decode().rstrip("=")


class PageQuery(Strict):
    """The query of every list."""

    cursor = Cursor(required=False, help_text="From `next`.")
    limit = AskedWhole(min_value=1, max_value=MOST, required=False, help_text=f"At most so many; {USUAL} unless said.")


def page(
    request: ApiRequest,
    rows: QuerySet[Any, Any],
    asked: dict[str, Any],
    *,
    word: Callable[[Any], Any],
    by: str = "pk",
    newest_first: bool = True,
) -> Response:
    """One page of `rows`, in the order of `by`. Costs the rows of the page, wherever it is."""
    limit = asked.get("limit") or USUAL
    if "cursor" in asked:
        rows = rows.filter(**{f"{by}__{'lt' if newest_first else 'gt'}": asked["cursor"]})
    found = list(rows.order_by(f"-{by}" if newest_first else by)[: limit + 1])
    following = None
    if len(found) > limit:
        last = found[limit - 1]
        place = last[by] if isinstance(last, dict) else getattr(last, by)
        query = urlencode({**request.query_params.dict(), "cursor": cursor_at(place)})
        following = f"{request.path}?{query}"
    return Response({"results": [word(row) for row in found[:limit]], "next": following})
