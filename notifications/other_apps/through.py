"""The way that Apprise's messages take: our own guarded connections instead of bare `requests`.

Apprise builds what each service wants and posts it with the module `requests`; those of its services that we use are
given this in its place (see `carries`). So every name is looked up by us and connected to at that very address, inside
addresses are refused, no redirect is followed, an answer is read only so far, connections stay open, and what the
service answered is known, which Apprise itself reduces to yes or no.
"""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import DefaultCookiePolicy
from types import ModuleType
from typing import Any, ClassVar

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from notifications import outgoing
from notifications.outgoing import NotPublic, is_allowed
from notifications.posting import Reply, Unanswered, Verdict, retry_after

READ = 4096  # bytes of an answer
TIMEOUTS = (5, 10)  # seconds to connect, and between two pieces of an answer

_here = threading.local()  # the connections of a thread, and what was answered to its last request


def said_during(sending: Callable[[], Any]) -> Reply:
    """Carry out something that sends once, and return what was answered. Raises Unanswered where nothing was."""
    _here.said = None
    sending()
    said: Reply | Unanswered | None = _here.said
    if isinstance(said, Unanswered):
        raise said
    if said is None:
        raise Unanswered(Verdict.REFUSED, "it could not be made")
    return said


def carries(module: ModuleType, *, origin: str = "") -> None:
    """Let a module that posts with `requests` post through here, and to this origin, if one is given."""
    setattr(module, "requests", Through(origin))  # noqa: B010 (not an attribute that the module declares)


@dataclass(frozen=True)
class Taken:
    """A good answer, as far as Apprise looks at it."""

    status_code: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True)
class Through:
    """What Apprise's services use of `requests`."""

    origin: str = ""
    codes: ClassVar[Any] = requests.codes
    RequestException: ClassVar[type[requests.RequestException]] = requests.RequestException

    def post(
        self,
        url: str,
        *,
        params: Mapping[str, Any] | None = None,
        data: Any = None,
        headers: Mapping[str, str] | None = None,
        **_given: Any,
    ) -> Taken:
        """Post. Anything but a good answer raises, so that nothing is tried twice in one go."""
        if self.origin:
            url = self.origin.rstrip("/") + url.removeprefix(outgoing.origin_of(url))
        try:
            return self._post(url, params, data, headers)
        except Unanswered as silence:
            _here.said = silence
            raise requests.RequestException(silence.words) from silence

    def _post(self, url: str, params: Any, data: Any, headers: Any) -> Taken:
        try:
            outgoing.check(url, resolve=False)  # the name is looked up when the connection is made
        except outgoing.BadAddress as refusal:
            raise Unanswered(Verdict.REFUSED, str(refusal)) from None
        where, started = outgoing.origin_of(url).partition("://")[2], time.monotonic()
        try:
            with _session().post(
                url,
                params=params,
                data=data,
                headers=headers,
                timeout=TIMEOUTS,
                allow_redirects=False,
                stream=True,
            ) as response:
                content = response.raw.read(READ, decode_content=True) or b""
        except requests.ConnectionError as fault:
            raise _unanswered(fault, where) from fault
        except (requests.RequestException, OSError) as fault:
            raise Unanswered(Verdict.PERHAPS, f"{where} did not answer") from fault
        took = time.monotonic() - started
        words = " ".join(_words_in(content).split())[:300]
        said = f"{where} answered {response.status_code}: {words}".rstrip(": ")
        waits = retry_after(response.headers.get("Retry-After", ""))
        reply = Reply(response.status_code, said, waits if waits is not None else _waits_in(content), took)
        _here.said = reply
        if not reply.is_success:
            raise requests.RequestException(said)
        return Taken(response.status_code, response.headers, content)


def _unanswered(fault: requests.ConnectionError, where: str) -> Unanswered:
    chain = list(_chain(fault))
    for cause in chain:
        if isinstance(cause, NotPublic):
            return Unanswered(Verdict.REFUSED, str(cause))
    is_before = isinstance(fault, requests.ConnectTimeout) or any(
        type(cause).__name__ in {"NewConnectionError", "NameResolutionError", "ConnectTimeoutError"} for cause in chain
    )
    if is_before:
        return Unanswered(Verdict.LATER, f"{where} cannot be reached")
    return Unanswered(Verdict.PERHAPS, f"{where} did not answer")


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    """A fault and all that it came from."""
    while fault is not None:
        yield fault
        fault = fault.__cause__ or fault.__context__


def _words_in(content: bytes) -> str:
    """The sentence in a JSON answer, where it has one; otherwise the beginning of it."""
    found = _json(content)
    inner = found.get("error") if isinstance(found.get("error"), dict) else found
    for name in ("description", "message"):
        if isinstance(inner, dict) and isinstance(inner.get(name), str):
            return str(inner[name])
    return content[:300].decode(errors="replace")


def _waits_in(content: bytes) -> float | None:
    """How long Discord and Telegram ask us to wait, which they also say in the body."""
    found = _json(content)
    inner = found.get("parameters")
    given = (inner if isinstance(inner, dict) else found).get("retry_after")
    return float(given) if isinstance(given, int | float) and given >= 0 else None


def _json(content: bytes) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


# --- Connections


def _session() -> requests.Session:
    """This thread's connections."""
    if getattr(_here, "session", None) is None:
        session = _Session()
        session.trust_env = False  # no proxy and no password of the machine's own
        for scheme in ("http://", "https://"):
            session.mount(scheme, PublicAdapter())
        session.cookies.set_policy(_NoCookies())
        _here.session = session
    found: requests.Session = _here.session
    return found


def public_address(name: str, port: int) -> str:
    """An address of a name, if all that it has are on the public internet. Raises NotPublic."""
    found = [str(one[4][0]) for one in socket.getaddrinfo(name, port, type=socket.SOCK_STREAM)]
    if not found or not all(is_allowed(address) for address in found):
        raise NotPublic(outgoing.NOT_PUBLIC)
    return found[0]


class _Pinned:
    """A connection goes to the very address that was looked at; the certificate must still be the name's."""

    def _new_conn(self: Any) -> socket.socket:
        name = self._dns_host
        try:
            self._dns_host = public_address(name, self.port)
            connected: socket.socket = super()._new_conn()  # type: ignore[misc]
            return connected
        finally:
            self._dns_host = name


class PublicConnection(_Pinned, HTTPConnection):
    pass


class PublicHTTPSConnection(_Pinned, HTTPSConnection):
    pass


class PublicPool(HTTPConnectionPool):
    ConnectionCls = PublicConnection


class PublicHTTPSPool(HTTPSConnectionPool):
    ConnectionCls = PublicHTTPSConnection


class PublicAdapter(HTTPAdapter):
    """Connects only to public addresses."""

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        super().init_poolmanager(*given, **named)
        self.poolmanager.pool_classes_by_scheme = {"http": PublicPool, "https": PublicHTTPSPool}


class _Session(requests.Session):
    def get_redirect_target(self, resp: requests.Response) -> None:
        """Nowhere: even one that is not followed would be read to its end."""


class _NoCookies(DefaultCookiePolicy):
    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False
