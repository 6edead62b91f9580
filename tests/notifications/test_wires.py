"""Posting over connections that stay open, against a server that says exactly what it is told, byte for byte."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from notifications import outgoing, wires
from notifications.wires import NoAnswer, NotReached, Wires, request, target_of

TAKEN = b"HTTP/1.1 204 No Content\r\n\r\n"
HEADERS = {"Content-Type": "text/plain"}


class Told:
    """What arrived, and what is answered to it: the whole words of each answer, None for none at all."""

    def __init__(self, *answers: bytes | None, ends: bool = False) -> None:
        self.answers = list(answers)
        self.ends = ends
        self.connections = 0
        self.posts: list[bytes] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while self.answers:
                head = await reader.readuntil(b"\r\n\r\n")
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.posts.append(head + await reader.readexactly(length))
                answer = self.answers.pop(0)
                if answer is None:
                    await asyncio.sleep(10)
                    return
                writer.write(answer)
                await writer.drain()
                if self.ends:
                    return
            await reader.read()
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            writer.close()


@pytest.fixture(autouse=True)
def open_to_this_machine(settings):
    settings.OUTGOING_LOOPBACK = True


@asynccontextmanager
async def served(told: Told, **how: Any) -> AsyncIterator[int]:
    server = await asyncio.start_server(told.serve, "127.0.0.1", 0, **how)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()


def talk(
    told: Told, story: Callable[[Callable[[], Coroutine[Any, Any, wires.Answer]]], Coroutine[Any, Any, Any]]
) -> Any:
    """Let a story post to a server that answers so."""

    async def tell() -> Any:
        async with served(told) as port:
            open_ones = Wires()
            try:
                return await story(lambda: open_ones.post(f"http://127.0.0.1:{port}/a?b=c", body=b"x", headers=HEADERS))
            finally:
                await open_ones.close()

    return asyncio.run(tell())


def test_posts_share_a_connection_one_after_the_other():
    told = Told(TAKEN, TAKEN, TAKEN)

    async def story(post):
        return [(await post()).status for _time in range(3)]

    assert talk(told, story) == [204, 204, 204]
    assert told.connections == 1
    assert told.posts[0].startswith(b"POST /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:")
    assert told.posts[0].endswith(b"Content-Length: 1\r\nContent-Type: text/plain\r\n\r\nx")


def test_posts_at_once_have_a_connection_each():
    told = Told(TAKEN, TAKEN, TAKEN)

    async def story(post):
        return [answer.status for answer in await asyncio.gather(post(), post(), post())]

    assert talk(told, story) == [204, 204, 204]
    assert told.connections == 3


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ndone", 200, b"done"),
        (b"HTTP/1.1 500 Oh\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nout\r\n3\r\n of\r\n0\r\n\r\n", 500, b"out of"),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n", 202, b""),
        (b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\n\r\nHTTP/1.1 204 No\r\n\r\n", 204, b""),
        (b"HTTP/1.1 307 Elsewhere\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n", 307, b""),
    ],
)
def test_answers_of_all_kinds_leave_the_connection_open(answer, status, words):
    told = Told(answer, TAKEN)

    async def story(post):
        return await post(), await post()

    first, second = talk(told, story)
    assert (first.status, first.words, first.retry_after) == (status, words, "")
    assert second.status == 204
    assert told.connections == 1


@pytest.mark.parametrize(
    ("answer", "status", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (b"HTTP/1.1 500 Oh\r\nContent-Length: 1000\r\n\r\n" + b"x" * 999, 500, b"x" * wires.READ),
        (b"HTTP/1.1 101 Other\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n", 101, b""),
    ],
)
def test_after_these_answers_the_next_post_has_a_new_connection(answer, status, words):
    told = Told(answer, TAKEN)

    async def story(post):
        return await post(), await post()

    first, second = talk(told, story)
    assert (first.status, first.words, second.status) == (status, words, 204)
    assert told.connections == 2


def test_what_comes_after_an_answer_is_nobodys_answer():
    told = Told(TAKEN + b"HTTP/1.1 500 Smuggled\r\nContent-Length: 0\r\n\r\n", TAKEN)

    async def story(post):
        return [(await post()).status for _time in range(2)]

    assert talk(told, story) == [204, 204]
    assert told.connections == 2


def test_an_answer_may_end_with_its_connection():
    told = Told(b"HTTP/1.1 503 Busy\r\nRetry-After: 120\r\n\r\nlater", ends=True)

    async def story(post):
        return await post()

    assert talk(told, story) == (503, "120", b"later")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200", b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 2000 OK\r\n\r\n"])
def test_what_is_no_answer_is_none(answer):
    async def story(post):
        with pytest.raises(NoAnswer):
            await post()

    talk(Told(answer, ends=True), story)


def test_a_head_without_end_is_not_read_for_ever(monkeypatch):
    told = Told(b"HTTP/1.1 200 OK\r\nA: " + b"x" * (wires.HEAD_READ + 1), TAKEN)

    async def story(post):
        with pytest.raises(NoAnswer):
            await post()
        return await post()

    assert talk(told, story).status == 204


def test_who_does_not_answer_in_time_may_have_taken_it(monkeypatch):
    monkeypatch.setattr(wires, "ANSWER_WITHIN", 0.1)

    async def story(post):
        with pytest.raises(NoAnswer):
            await post()

    talk(Told(None), story)


def test_a_connection_that_was_idle_for_long_is_not_used_again(monkeypatch):
    monkeypatch.setattr(wires, "KEPT_OPEN", 0.05)
    told = Told(TAKEN, TAKEN)

    async def story(post):
        await post()
        await asyncio.sleep(0.15)
        return await post()

    assert talk(told, story).status == 204
    assert told.connections == 2


def test_where_nobody_listens_nothing_was_handed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]

        async def post():
            await Wires().post(f"http://127.0.0.1:{port}/", body=b"", headers={})

        with pytest.raises(NotReached):
            asyncio.run(post())


def test_a_header_is_one_line():
    with pytest.raises(ValueError, match="more than one line"):
        request(target_of("https://example.com/"), b"", {"X": "1\r\nY: 2"})


def test_a_name_is_looked_up_once_for_many_connections_and_never_leads_inside(settings, monkeypatch):
    settings.OUTGOING_LOOPBACK = False
    asked = []

    def look_up(host, *_given, **_named):
        asked.append(host)
        return [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.7", 443))]

    monkeypatch.setattr("socket.getaddrinfo", look_up)

    async def post_three() -> list[Any]:
        open_ones = Wires()
        posts = [open_ones.post("https://hooks.example.com/", body=b"", headers={}) for _time in range(3)]
        return await asyncio.gather(*posts, return_exceptions=True)

    assert [type(refusal) for refusal in asyncio.run(post_three())] == [outgoing.NotPublic] * 3
    assert asked == ["hooks.example.com"]


# --- Certificates


def certificate(folder: Path, *, of: str) -> tuple[Path, ssl.SSLContext]:
    """A certificate that vouches for itself, and a server that shows it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, of)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(of))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    shown, secret = folder / "certificate.pem", folder / "key.pem"
    shown.write_bytes(made.public_bytes(Encoding.PEM))
    secret.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(shown, secret)
    return shown, server


@pytest.mark.parametrize(
    ("of", "is_trusted", "reached"),
    [("127.0.0.1", True, True), ("127.0.0.1", False, False), ("127.0.0.2", True, False)],
)
def test_only_who_shows_a_good_certificate_gets_the_post(tmp_path, monkeypatch, of, is_trusted, reached):
    shown, server = certificate(tmp_path, of=of)
    if is_trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(shown))
    told = Told(TAKEN, TAKEN)

    async def post_twice(port: int) -> list[int]:
        open_ones = Wires()
        try:
            url = f"https://127.0.0.1:{port}/"
            return [(await open_ones.post(url, body=b"x", headers=HEADERS)).status for _time in range(2)]
        finally:
            await open_ones.close()

    async def story() -> list[int]:
        async with served(told, ssl=server) as port:
            return await post_twice(port)

    if reached:
        assert asyncio.run(story()) == [204, 204]
        assert told.connections == 1
    else:
        with pytest.raises(NotReached):
            asyncio.run(story())
        assert told.posts == []
