"""Headless Firefox over WebDriver BiDi, without anything between. It takes web push from a service of ours."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from tests.browser.desktop import Desktop

QUIET: dict[str, bool | int | str] = {
    "dom.push.testing.allowInsecureServerURL": True,
    "dom.push.retryBaseInterval": 200,  # milliseconds until it comes back to a push service that hung up
    "dom.push.connection.enabled": True,  # the remote agent turns it off unless it is named here
    "remote.prefs.recommended": False,
    "network.manage-offline-status": False,  # a machine with nothing but loopback is not offline
    "network.dns.forceResolve": "127.0.0.1",  # whatever Firefox looks up by itself stays here
    "focusmanager.testmode": True,  # without a desktop no window would ever have the focus
    "dom.webnotifications.requireuserinteraction": False,
    "app.normandy.enabled": False,
    "app.update.disabledForTesting": True,
    "browser.aboutwelcome.enabled": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.safebrowsing.update.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "captivedetect.canonicalURL": "",
    "datareporting.healthreport.uploadEnabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.ipc.processPrelaunch.enabled": False,
    "extensions.getAddons.cache.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.prefetch-next": False,
    "network.trr.mode": 5,
    "security.OCSP.enabled": 0,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "termsofuse.bypassNotification": True,
    "toolkit.telemetry.reportingpolicy.firstRun": False,
    "toolkit.telemetry.server": "",
    "toolkit.telemetry.unified": False,
}


class Refused(Exception):
    """Firefox did not do what it was told."""


class Firefox:
    """A fresh profile, one tab. System notifications show only where there is a desktop."""

    def __init__(self, *, desktop: Desktop | None = None, **preferences: bool | int | str) -> None:
        self._profile = Path(tempfile.mkdtemp(prefix="bellhop-firefox-"))
        wanted = QUIET | {"alerts.useSystemBackend": desktop is not None}
        wanted |= {name.replace("__", "."): value for name, value in preferences.items()}
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in wanted.items()]
        (self._profile / "user.js").write_text("".join(lines))
        self._process = subprocess.Popen(
            [_program(), "--profile", self._profile, "--no-remote", "--remote-debugging-port=0", "--headless"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=os.environ
            | {"MOZ_CRASHREPORTER_DISABLE": "1", "HOME": str(self._profile)}
            | (desktop.environment if desktop else {}),
            start_new_session=True,
        )
        self._said: list[str] = []
        self._is_listening = threading.Event()
        threading.Thread(target=self._listen, daemon=True).start()
        if not self._is_listening.wait(60):
            self.close()
            raise Refused("It did not start: " + "".join(self._said[-20:]))
        self._last = 0
        self._open = ExitStack()
        self._line = self._open.enter_context(
            connect(f"{self._address}/session", max_size=None, proxy=None, compression=None)
        )
        self.do("session.new", capabilities={})
        self.tab = self.do("browsingContext.getTree")["contexts"][0]["context"]

    def do(self, command: str, **parameters: Any) -> dict[str, Any]:
        """One command of WebDriver BiDi and its answer."""
        self._last += 1
        self._line.send(json.dumps({"id": self._last, "method": command, "params": parameters}))
        deadline = time.monotonic() + 30
        while True:
            said = json.loads(self._line.recv(timeout=max(0.01, deadline - time.monotonic())))
            if said.get("id") == self._last:
                if said["type"] == "error":
                    raise Refused(f"{command}: {said['error']}: {said['message']}")
                return dict(said["result"])

    def open(self, url: str) -> None:
        self.do("browsingContext.navigate", context=self.tab, url=url, wait="complete")

    def js(self, expression: str) -> Any:
        """What an expression, or the promise that it is, comes to in the page."""
        target = {"context": self.tab}
        found = self.do("script.evaluate", expression=expression, target=target, awaitPromise=True, userActivation=True)
        if found["type"] == "exception":
            raise Refused(found["exceptionDetails"]["text"])
        return found["result"].get("value")

    def tabs(self) -> dict[str, str]:
        """What is open: the address of each tab."""
        return {tab["context"]: tab["url"] for tab in self.do("browsingContext.getTree")["contexts"]}

    def new_tab(self) -> str:
        """Another tab, in front of the others."""
        return str(self.do("browsingContext.create", type="tab")["context"])

    def allow(self, origin: str, *, state: str = "granted") -> None:
        """What a person answers when asked about notifications."""
        self.do("permissions.setPermission", descriptor={"name": "notifications"}, state=state, origin=origin)

    def bring_cookie(self, name: str, value: str) -> None:
        cookie = {"name": name, "value": {"type": "string", "value": value}, "domain": "127.0.0.1", "path": "/"}
        self.do("storage.setCookie", cookie=cookie)

    def close(self) -> None:
        """End it and everything it started."""
        with suppress(Exception):
            self.do("browser.close")
        with suppress(AttributeError, OSError, WebSocketException):
            self._open.close()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
        shutil.rmtree(self._profile, ignore_errors=True)

    def _listen(self) -> None:
        assert self._process.stderr is not None
        with self._process.stderr as lines:
            for line in lines:
                self._said.append(line)
                if found := re.search(r"WebDriver BiDi listening on (ws://\S+)", line):
                    self._address = found[1]
                    self._is_listening.set()


def _program() -> str:
    for name in (os.environ.get("BELLHOP_FIREFOX", ""), "firefox-esr", "firefox"):
        if name and (found := shutil.which(name)):
            return found
    raise Refused("There is no Firefox: bash tools/browser.sh installs one, or says how.")
