"""Chromium without a window, driven over the pipe of its DevTools protocol; the standard library alone."""

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--remote-debugging-pipe",
)

# The protocol speaks on descriptors 3 and 4 of the browser: this puts the pipes there and becomes the browser.
HAND_OVER = """
import fcntl, os, sys
high = [fcntl.fcntl(int(descriptor), fcntl.F_DUPFD, 64) for descriptor in sys.argv[1:3]]
for descriptor, place in zip(high, (3, 4)):
    os.dup2(descriptor, place)
os.execv(sys.argv[3], sys.argv[3:])
"""


def executable() -> str | None:
    """Path of a Chromium, where there is one."""
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """One Chromium with one page; what happens in it is kept in `events`."""

    def __init__(self, program: str, profile: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._unread, self._count, self._session = b"", 0, ""
        self._start([program, *FLAGS, f"--user-data-dir={profile}", "about:blank"])
        try:
            target = self._page()
            self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Runtime", "Log", "Network"):
                self.call(f"{domain}.enable")
        except BaseException:
            self._stop(0)
            raise

    def _start(self, command: list[str]) -> None:
        reads, self._write = os.pipe()
        self._read, writes = os.pipe()
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            [sys.executable, "-c", HAND_OVER, str(reads), str(writes), *command],
            pass_fds=(reads, writes),
            stdin=quiet,
            stdout=quiet,
            stderr=quiet,
        )
        os.close(reads)
        os.close(writes)

    def _stop(self, patience: float) -> None:
        try:
            self._process.wait(patience)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._write)
        os.close(self._read)

    def __enter__(self) -> "Browser":
        return self

    def __exit__(self, *error: object) -> None:
        self._session = ""
        try:
            self.call("Browser.close")
        finally:
            self._stop(10)

    def call(self, method: str, timeout: float = 60.0, **parameters: Any) -> dict[str, Any]:
        """Ask for something and wait for the answer."""
        self._count += 1
        message = {"id": self._count, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        answer = self._await(lambda got: got.get("id") == self._count, timeout, method)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error']}")
        return answer["result"]

    def size(self, width: int, height: int, *, dark: bool = False) -> None:
        """Size of the window, and which of light and dark the reader prefers."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])

    def open(self, path: Path) -> None:
        """Open a file and wait until its own scripts are done with the 3-D view."""
        self.call("Page.navigate", url=path.resolve().as_uri())
        self.wait("document.documentElement?.dataset.viewer")

    def wait(self, expression: str, timeout: float = 90.0) -> Any:
        """Wait until an expression is true in the page."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if value := self.value(expression):
                return value
            time.sleep(0.1)
        raise TimeoutError(f"{expression} never came true")

    def value(self, expression: str) -> Any:
        """What an expression gives in the page; a promise is awaited."""
        got = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in got:
            raise RuntimeError(f"{expression}: {got['exceptionDetails']}")
        return got["result"].get("value")

    def picture(self, path: Path, *, whole: bool = False, of: str | None = None) -> Path:
        """A screenshot: of the window, of the whole page, or of one element."""
        more: dict[str, Any] = {}
        if of:
            box = self.value(
                f"(() => {{ const b = document.querySelector({json.dumps(of)}).getBoundingClientRect();"
                " return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height}; })()"
            )
            more = {"clip": {**box, "scale": 1}, "captureBeyondViewport": True}
        elif whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            more = {"clip": {**size, "scale": 1}, "captureBeyondViewport": True}
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png", **more)["data"]))
        return path

    def requests(self) -> list[str]:
        """Addresses that the page asked for, whatever became of them."""
        return [
            event["params"]["request"]["url"]
            for event in self.events
            if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """Errors and warnings of scripts, of the security policy and of the network."""
        said = []
        for event in self.events:
            parameters = event["params"]
            if event["method"] == "Runtime.exceptionThrown":
                said.append(str(parameters["exceptionDetails"].get("exception", parameters)))
            elif event["method"] == "Log.entryAdded" and parameters["entry"]["level"] == "error":
                said.append(parameters["entry"]["text"])
            elif event["method"] == "Runtime.consoleAPICalled" and parameters["type"] in ("error", "assert"):
                said.append(str([argument.get("value") for argument in parameters["args"]]))
        return said

    def _page(self) -> str:
        """Identity of the page that stands open at the start."""
        end = time.monotonic() + 60
        while time.monotonic() < end:
            targets = self.call("Target.getTargets")["targetInfos"]
            if pages := [target["targetId"] for target in targets if target["type"] == "page"]:
                return pages[0]
            time.sleep(0.1)
        raise TimeoutError("Chromium opened no page")

    def _await(self, wanted: Callable[[dict[str, Any]], bool], timeout: float, what: str) -> dict[str, Any]:
        end = time.monotonic() + timeout
        while True:
            while b"\0" in self._unread:
                text, self._unread = self._unread.split(b"\0", 1)
                message = json.loads(text)
                if wanted(message):
                    return message
                if "method" in message:
                    self.events.append(message)
            if not select.select([self._read], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError(f"{what}: no answer in {timeout} s")
            if not (more := os.read(self._read, 1 << 20)):
                raise RuntimeError(f"{what}: Chromium has gone")
            self._unread += more
