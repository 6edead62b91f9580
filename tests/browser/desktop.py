"""A desktop without a screen: a private D-Bus with a notification daemon that sees what browsers show, and clicks it.

It speaks the Desktop Notifications Specification 1.2 as far as browsers use it.
"""

import asyncio
import queue
import shutil
import subprocess
import tempfile
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dbus_fast import Message, MessageType
from dbus_fast.aio import MessageBus

NAME = "org.freedesktop.Notifications"
PATH = "/org/freedesktop/Notifications"
CAN = ["actions", "body", "body-markup", "icon-static", "persistence"]
CLICK = "default"  # the action that is a click on the notification itself
DISMISSED, CLOSED = 2, 3  # why one is gone: by the person, by who had shown it

# No folder of services: nothing else of a desktop is started.
BUS = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path={folder}/bus</listen><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>"""


@dataclass(frozen=True)
class Shown:
    """A notification as a person would see it."""

    id: int
    application: str
    title: str
    body: str
    actions: tuple[str, ...]


class Desktop:
    """Runs in a thread of its own. `environment` brings a browser here."""

    def __init__(self) -> None:
        self.seen: queue.SimpleQueue[Shown] = queue.SimpleQueue()
        self.closed: queue.SimpleQueue[int] = queue.SimpleQueue()  # by who had shown them
        self._folder = Path(tempfile.mkdtemp(prefix="bellhop-desktop-"))
        (self._folder / "bus.conf").write_text(BUS.format(folder=self._folder))
        self._bus = subprocess.Popen(
            ["dbus-daemon", f"--config-file={self._folder}/bus.conf", "--nofork", "--nopidfile", "--print-address=1"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self._bus.stdout is not None
        self.environment = {"DBUS_SESSION_BUS_ADDRESS": self._bus.stdout.readline().strip()}
        self._last = 0
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)
        self._thread.start()
        assert self._ready.wait(10), "the notification daemon did not start"

    def click(self, shown: Shown) -> None:
        """What happens when a person clicks it: it is invoked, and gone."""
        self._signal("ActionInvoked", "us", shown.id, CLICK)
        self._signal("NotificationClosed", "uu", shown.id, DISMISSED)

    def dismiss(self, shown: Shown) -> None:
        """What happens when a person sweeps it away."""
        self._signal("NotificationClosed", "uu", shown.id, DISMISSED)

    def close(self) -> None:
        self._bus.terminate()
        self._bus.wait(5)
        assert self._bus.stdout is not None
        self._bus.stdout.close()
        self._thread.join(5)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _signal(self, member: str, signature: str, *body: object) -> None:
        told = Message.new_signal(PATH, NAME, member, signature, list(body))
        self._loop.call_soon_threadsafe(self._line.send, told)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._line = await MessageBus(bus_address=self.environment["DBUS_SESSION_BUS_ADDRESS"]).connect()
        self._line.add_message_handler(self._answer)
        await self._line.request_name(NAME)
        self._ready.set()
        with suppress(EOFError, OSError):
            await self._line.wait_for_disconnect()

    def _answer(self, asked: Message) -> Message | None:
        if asked.message_type is not MessageType.METHOD_CALL or asked.interface != NAME:
            return None
        match asked.member:
            case "GetCapabilities":
                return Message.new_method_return(asked, "as", [CAN])
            case "GetServerInformation":
                return Message.new_method_return(asked, "ssss", ["bellhop", "tests", "1.0", "1.2"])
            case "Notify":
                return Message.new_method_return(asked, "u", [self._take(asked.body)])
            case "CloseNotification":
                self.closed.put(asked.body[0])
                self._line.send(Message.new_signal(PATH, NAME, "NotificationClosed", "uu", [asked.body[0], CLOSED]))
                return Message.new_method_return(asked)
        return None

    def _take(self, given: list[object]) -> int:
        application, replaced, _icon, title, body, actions, *_rest = given
        if not replaced:
            self._last += 1
        id_ = int(str(replaced)) or self._last
        assert isinstance(actions, list)
        self.seen.put(Shown(id_, str(application), str(title), str(body), tuple(actions)))
        return id_
