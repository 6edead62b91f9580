"""What a browser shows where an address takes clicks only: Django would answer with an empty page."""

from collections.abc import Awaitable, Callable

from asgiref.sync import iscoroutinefunction, sync_to_async
from django.http import HttpRequest, HttpResponseNotAllowed
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.decorators import sync_and_async_middleware

Answer = Callable[[HttpRequest], HttpResponseBase]
AnswerLater = Callable[[HttpRequest], Awaitable[HttpResponseBase]]


@sync_and_async_middleware
def in_words(get_response: Answer | AnswerLater) -> Answer | AnswerLater:
    """Give an empty 405 a page and a way on. The API words its own."""
    if iscoroutinefunction(get_response):

        async def answer_later(request: HttpRequest) -> HttpResponseBase:
            response = await get_response(request)
            return await sync_to_async(_worded)(request, response) if _is_empty(response) else response

        return answer_later

    def answer(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        assert isinstance(response, HttpResponseBase)
        return _worded(request, response) if _is_empty(response) else response

    return answer


def _is_empty(response: HttpResponseBase) -> bool:
    return isinstance(response, HttpResponseNotAllowed) and not response.content


def _worded(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    if not request.accepts("text/html"):
        return response
    page = render(request, "405.html", status=response.status_code)
    page["Allow"] = response["Allow"]
    return page
