"""One page of a real Chromium, driven by Playwright."""

from __future__ import annotations

import os
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Page

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
PICTURES = Path(__file__).parents[1] / "docs" / "images"
_FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage")
_PATIENCE = 60_000  # milliseconds

needs_chromium = pytest.mark.skipif(
    CHROMIUM is None or find_spec("playwright") is None,
    reason="there is no Chromium here (apt-get install chromium), or no Playwright",
)


class Browser:
    """One page, and what it has asked for and complained of."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.asked: list[str] = []
        self.complaints: list[str] = []
        page.set_default_timeout(_PATIENCE)
        page.on("request", lambda request: self.asked.append(request.url))
        page.on("console", lambda message: self.complaints.append(message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

        def dialog(opened: Any) -> None:
            self.complaints.append(opened.message)
            opened.dismiss()

        page.on("dialog", dialog)

    def open(self, page: Path | str, ready: str = "document.querySelector('[role=treeitem]')") -> None:
        """A file, or an address, in light on a screen of the usual size; until it is ``ready``."""
        self.asked.clear()
        self.complaints.clear()
        self.media()
        self.size()
        self.go(page if isinstance(page, str) else page.as_uri())
        self.wait(ready)

    def go(self, address: str) -> None:
        self.page.goto(address)

    def media(self, scheme: Any = "light", kind: Any = "screen") -> None:
        self.page.emulate_media(color_scheme=scheme, media=kind)

    def size(self, width: int = 1280, height: int = 640) -> None:
        self.page.set_viewport_size({"width": width, "height": height})

    def value(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def wait(self, expression: str) -> None:
        """Until it is true, looked at with each frame."""
        from playwright.sync_api import TimeoutError as TooLateError

        try:
            self.page.wait_for_function(f"() => {{ try {{ return {expression} }} catch {{ return false }} }}")
        except TooLateError:
            pytest.fail(f"{expression}: {self.value('document.body.innerText')[:2000]}")

    def key(self, key: str) -> None:
        self.page.keyboard.press(key)

    def type(self, text: str) -> None:
        self.page.keyboard.insert_text(text)

    def click(self, selector: str, containing: str = "") -> None:
        self.page.locator(selector).filter(has_text=containing).first.click()

    def choose(self, selector: str, value: str) -> None:
        self.page.select_option(selector, value)

    def screenshot(self, name: str) -> None:
        """Write ``docs/images/NAME.png``, where the variable ``WRITE_PICTURES`` asks for it."""
        if os.environ.get("WRITE_PICTURES"):
            self.page.screenshot(path=PICTURES / f"{name}.png")

    def selected(self) -> str:
        return self.page.locator("[aria-selected=true][role=treeitem] .words").inner_text()

    def side(self) -> str:
        return self.page.locator("aside").inner_text()

    def assert_nothing_went_wrong(self, *own: str) -> None:
        """No request but for the file or ``own`` addresses, nothing on the console, nothing that the policy stopped."""
        assert not [url for url in self.asked if not url.startswith(("file:///", "data:", "about:blank", *own))]
        assert not self.complaints


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Of a module: while Playwright runs, no other event loop can be started on its thread."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright, playwright.chromium.launch(
        executable_path=CHROMIUM, args=_FLAGS
    ) as running:  # fmt: skip
        yield Browser(running.new_page())
