"""A page that a test has open in a browser."""

import time
from collections.abc import Mapping
from typing import Any

import numpy as np

__all__ = ["Visit"]

PIXELS = """id => {
    const canvas = document.querySelector(id);
    return [...canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data];
}"""


class Visit:
    """A page that is open, and all that has gone wrong or been asked for since; it stands still unless told to move."""

    def __init__(self, browser: Any, address: str, answers: Mapping[str, Any] | None = None, **settings: Any) -> None:
        self.page = browser.new_context(**{"reduced_motion": "reduce", **settings}).new_page()
        self.page.set_default_timeout(30_000)
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.context.on("request", lambda request: self.requests.append(request.url))
        for pattern, answer in (answers or {}).items():
            self.page.context.route(pattern, answer)  # what a worker asks for
        self.page.goto(address)

    def opened(self) -> "Visit":
        """Wait until there is something to see."""
        self.page.locator("main").wait_for()
        return self

    def until(self, expression: str, value: Any = True) -> None:
        """Wait until an expression has a value; the page itself may not evaluate any."""
        end = time.monotonic() + 30
        while (found := self.page.evaluate(expression)) != value:
            assert time.monotonic() < end, f"{expression} is {found}"
            self.page.wait_for_timeout(20)

    def settle(self) -> None:
        """Wait until all that is asked for is drawn."""
        self.until("slimgan.isIdle")

    def pixels(self, canvas: str) -> np.ndarray:
        """Return the colours of a canvas ``(3, H, W)``."""
        values = np.array(self.page.evaluate(PIXELS, canvas), np.int64).reshape(-1, 4)
        side = int(len(values) ** 0.5)
        colours: np.ndarray = values[:, :3].reshape(side, side, 3).transpose(2, 0, 1)
        return colours

    def text(self, id: str) -> str:
        return str(self.page.locator(f"#{id}").text_content())

    def close(self) -> None:
        self.page.context.close()
