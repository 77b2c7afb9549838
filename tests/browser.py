"""One page of a real Chromium, spoken to through its own protocol: nothing but the browser has to be installed."""

from __future__ import annotations

import base64
import json
import os
import queue
import re
import shutil
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.client import ClientConnection

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(__file__).parents[1] / "docs" / "images"

needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here (apt-get install chromium)")


class PageLeftError(Exception):
    """The page was left while it was asked something."""


class Browser:
    """One page of a Chromium, and what it has said, asked for and complained of."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._answers: queue.Queue[dict[str, Any]] = queue.Queue()
        self._last = 0
        self._session: str | None = None
        self.events: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")
        self.size()

    def _read(self) -> None:
        for text in self._connection:
            content = json.loads(text)
            if "id" in content:
                self._answers.put(content)
            else:
                self.events.append(content)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        request = {"id": self._last, "method": method, "params": parameters}
        self._connection.send(json.dumps(request | ({"sessionId": self._session} if self._session else {})))
        answer = self._answers.get(timeout=60)
        if "navigated" in answer.get("error", {}).get("message", ""):
            raise PageLeftError
        assert "error" not in answer, answer
        return answer["result"]

    def open(self, page: Path | str, ready: str = "document.querySelector('[role=treeitem]')") -> None:
        """A file, or an address; until what shows that it is ``ready`` is true."""
        self.events.clear()
        self.media()
        self.size()
        self.send("Page.navigate", url=page if isinstance(page, str) else page.as_uri())
        self.wait(f"document.readyState === 'complete' && ({ready})")

    def media(self, scheme: str = "light", kind: str = "") -> None:
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.send("Emulation.setEmulatedMedia", media=kind, features=features)

    def size(self, width: int = 1280, height: int = 640) -> None:
        self.send("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def value(self, expression: str) -> Any:
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait(self, expression: str) -> None:
        """Until it is true, looked at with each frame; the frames end after half a minute."""
        look = (
            f"(async () => {{ const holds = () => {{ try {{ return {expression} }} catch {{ return false }} }}; "
            "const end = Date.now() + 30000; while (!holds()) { if (Date.now() > end) return false; "
            "await new Promise((next) => setTimeout(next, 15)); } return true; })()"
        )
        try:
            is_true = self.value(look)
        except PageLeftError:  # a click led elsewhere: what is waited for is there
            is_true = self.value(look)
        assert is_true, f"{expression}: {self.value('document.body.innerText')[:2000]}"

    def key(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {"text": "\r"} if key == "Enter" else {}
        codes = {"Enter": 13, "Escape": 27, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            self.send("Input.dispatchKeyEvent", type=kind, key=key, windowsVirtualKeyCode=codes.get(key, 0), **text)

    def click(self, selector: str, containing: str = "") -> None:
        self.value(
            f"[...document.querySelectorAll({json.dumps(selector)})]"
            f".find((element) => element.textContent.includes({json.dumps(containing)})).click()"
        )

    def choose(self, selector: str, value: str) -> None:
        self.value(
            f"(() => {{ const field = document.querySelector({json.dumps(selector)}); "
            f"field.value = {json.dumps(value)}; "
            "field.dispatchEvent(new Event('change', {bubbles: true})); })()"
        )

    def screenshot(self, name: str) -> None:
        """Write ``docs/images/NAME.png``, where the variable ``WRITE_PICTURES`` asks for it."""
        if os.environ.get("WRITE_PICTURES"):
            picture = self.send("Page.captureScreenshot", format="png")["data"]
            (PICTURES / f"{name}.png").write_bytes(base64.b64decode(picture))

    def type(self, text: str) -> None:
        self.send("Input.insertText", text=text)

    def selected(self) -> str:
        return str(self.value("document.querySelector('[aria-selected=true][role=treeitem] .words').textContent"))

    def side(self) -> str:
        return str(self.value("document.querySelector('aside').innerText"))

    def assert_nothing_went_wrong(self, *own: str) -> None:
        """No request but for the file or ``own`` addresses, nothing on the console, nothing that the policy stopped."""
        asked = [e["params"]["request"]["url"] for e in self.events if e["method"] == "Network.requestWillBeSent"]
        assert not [url for url in asked if not url.startswith(("file:///", "data:", "about:blank", *own))]
        complaints = (
            "Runtime.consoleAPICalled", "Runtime.exceptionThrown", "Log.entryAdded", "Page.javascriptDialogOpening",
        )  # fmt: skip
        assert not [event for event in self.events if event["method"] in complaints]


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    from websockets.sync.client import connect

    flags = (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
        *("--remote-debugging-port=0", f"--user-data-dir={tmp_path_factory.mktemp('profile')}"),
    )
    running = subprocess.Popen([str(CHROMIUM), *flags, "about:blank"], stderr=subprocess.PIPE, text=True)
    assert running.stderr is not None
    try:
        address = next(
            (where.group() for text in running.stderr if (where := re.search(r"ws://127\.0\.0\.1:\S+", text))), None
        )
        if address is None:
            pytest.skip(f"{CHROMIUM} does not start here")
        drain = threading.Thread(target=running.stderr.read, daemon=True)
        drain.start()
        with connect(address, max_size=None) as connection:
            yield Browser(connection)
    finally:
        running.terminate()
        running.wait(30)
        running.stderr.close()
