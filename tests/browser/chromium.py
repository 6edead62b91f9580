"""Chromium as people have it: started by ourselves, so that a tab in the back really is hidden."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from tests.browser.desktop import Desktop

FLAGS = [
    "--headless=new",
    "--no-sandbox",  # as root, as in most containers
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-default-apps",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-domain-reliability",
    "--disable-sync",
    "--password-store=basic",
    "--use-mock-keychain",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-address=127.0.0.1",
    "--remote-debugging-port=0",
    "--window-size=1280,900",
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def program() -> str:
    """Where Chromium is. BELLHOP_BROWSER names another one."""
    for name in (os.environ.get("BELLHOP_BROWSER", ""), *NAMES):
        if name and (found := shutil.which(name)):
            return found
    raise RuntimeError("No Chromium was found. `make browser` installs it or says how.")


class Chromium:
    """A running Chromium with a profile of its own, and the address by which it is driven."""

    def __init__(self, folder: Path, *, desktop: Desktop | None = None) -> None:
        self.profile = Path(tempfile.mkdtemp(prefix="chromium-", dir=folder))
        self._log = (self.profile / "stderr.log").open("w")
        self._process = subprocess.Popen(
            [program(), *FLAGS, f"--user-data-dir={self.profile}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=self._log,
            env=os.environ | (desktop.environment if desktop else {}),
            start_new_session=True,
        )
        self.address = self._wait_for_address()

    def _wait_for_address(self, seconds: float = 30) -> str:
        told = self.profile / "DevToolsActivePort"
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and self._process.poll() is None:
            if told.exists() and (lines := told.read_text().split()) and len(lines) == 2:
                return f"ws://127.0.0.1:{lines[0]}{lines[1]}"
            time.sleep(0.02)
        said = Path(self._log.name).read_text()[-1000:]
        self.close()
        raise RuntimeError(f"Chromium did not start: {said}")

    def close(self) -> None:
        """End it and everything it started."""
        with suppress(ProcessLookupError):
            self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(5)
        self._log.close()
        shutil.rmtree(self.profile, ignore_errors=True)
