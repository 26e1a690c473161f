"""``slimgan report``: the page as a browser shows it, without a network."""

import io
import shutil
from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from commands import run
from PIL import Image

playwright = pytest.importorskip("playwright.sync_api")

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

if CHROMIUM is None:
    pytest.skip("there is no chromium", allow_module_level=True)

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

HOSTILE = "<img src=x onerror=alert(1)>"  # the name of a run's folder

DRAWN = """() => [...document.querySelectorAll(".chart")].filter(place => place.offsetWidth > 0)
    .every(place => place.dataset.scheme === (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light"))"""

MARKS = """() => [...document.querySelectorAll(".chart")].filter(place => place.offsetWidth > 0).map(place => [
    place.closest("figure").querySelector("figcaption").textContent,
    place.querySelectorAll("svg .mark-line path, svg .mark-symbol path, svg .mark-rect path").length,
    place.querySelector(".canvas").getAttribute("aria-label")])"""

CURVES = ["Generator loss", "Discriminator loss", "Distillation loss", "Logits of real images", "Logits of fakes"]

EVALUATIONS = [
    "FID (digits)",
    "KID (digits)",
    "IS (digits)",
    "Precision",
    "Recall",
    "Density",
    "Coverage",
    "mIC (digits)",
]

TRADE_OFFS = ["FID (digits) against MACs per image", "FID (digits) against latency in ms"]


@pytest.fixture(scope="module")
def pages(two_runs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Return reports of one run and of two, the second of which has a hostile name and setting."""
    folder = tmp_path_factory.mktemp("pages")
    hostile = folder / HOSTILE
    shutil.copytree(two_runs / "none" / "version_0", hostile)
    with (hostile / "config.yaml").open("a") as file:
        file.write('hostile: "</script><script>alert(1)</script>"\n')
    run("report", two_runs / "digits", "--output", folder / "one.html")
    beside = shutil.copytree(two_runs / "digits", folder / "digits")  # for short names in the charts
    run("report", beside, hostile, "--output", folder / "two.html")
    return {name: folder / f"{name}.html" for name in ("one", "two")}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *QUIET])
        yield chromium
        chromium.close()


class Visit:
    """A page that is open, and all that has gone wrong or been asked for since."""

    def __init__(self, browser: Any, path: Path, **settings: Any) -> None:
        self.page = browser.new_context(offline=True, **settings).new_page()
        self.page.set_default_timeout(30_000)
        self.troubles: list[str] = []
        self.requests: list[str] = []
        self.page.on("console", lambda message: self.troubles.append(message.text))
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on("dialog", self._dismiss)
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())
        self.page.wait_for_function(DRAWN)

    def _dismiss(self, dialog: Any) -> None:
        self.troubles.append(dialog.message)
        dialog.dismiss()

    def marks(self) -> dict[str, int]:
        """Return how many marks each chart has that is to be seen, by its title."""
        return {title.strip(): count for title, count, _ in self.page.evaluate(MARKS)}

    def close(self) -> None:
        self.page.context.close()


@pytest.mark.parametrize("name", ["one", "two"])
def test_a_page_asks_for_nothing_and_complains_of_nothing(name: str, browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages[name])
    visit.page.emulate_media(color_scheme="dark")
    visit.page.wait_for_function(DRAWN)
    assert visit.troubles == []
    assert [url for url in visit.requests if not url.startswith("data:")] == [pages[name].as_uri()]
    visit.close()


def test_every_chart_of_a_run_is_drawn(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["one"])
    marks = visit.marks()
    assert {*CURVES, *EVALUATIONS, *TRADE_OFFS, "Distance between widths (digits)"} <= marks.keys()
    assert marks["Generator loss"] >= 4
    assert marks["Distance between widths (digits)"] == 16
    assert all(count > 0 for count in marks.values()), marks
    assert all(label for *_, label in visit.page.evaluate(MARKS))
    visit.close()


@pytest.mark.slow
def test_runs_share_charts(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["two"])
    shared = visit.page.locator("#comparison .card").filter(has_text=TRADE_OFFS[0])
    assert shared.locator("svg .mark-symbol.role-mark path").count() == 8
    assert HOSTILE in str(shared.locator("svg").text_content())
    assert set(visit.marks()) >= {*CURVES, *EVALUATIONS, *TRADE_OFFS}
    assert visit.page.get_by_role("heading", name=HOSTILE).count() > 0
    visit.close()


@pytest.mark.slow
def test_another_metric_can_be_chosen_by_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["one"])
    visit.page.get_by_label("Metric").focus()
    visit.page.keyboard.press("ArrowDown")
    visit.page.wait_for_function(DRAWN)
    marks = visit.marks()
    assert "KID (digits) against MACs per image" in marks
    assert TRADE_OFFS[0] not in marks
    visit.close()


@pytest.mark.slow
def test_the_numbers_of_a_chart_open_by_keyboard(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["one"])
    visit.page.keyboard.press("Tab")
    assert visit.page.evaluate("document.activeElement.textContent") == "Skip to the content"
    numbers = visit.page.locator(".card", has_text="Distance between widths").first
    numbers.locator("summary").focus()
    visit.page.keyboard.press("Enter")
    assert numbers.locator("table").is_visible()
    assert numbers.locator("tbody tr").count() == 4
    visit.close()


@pytest.mark.slow
def test_the_page_follows_the_colour_scheme(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["one"])
    background = "getComputedStyle(document.body).backgroundColor.match(/[0-9]+/g).slice(0, 3).map(Number)"
    stroke = "document.querySelector('.chart svg .mark-symbol path').getAttribute('fill')"
    light, light_stroke = visit.page.evaluate(background), visit.page.evaluate(stroke)
    visit.page.emulate_media(color_scheme="dark")
    visit.page.wait_for_function(DRAWN)
    dark, dark_stroke = visit.page.evaluate(background), visit.page.evaluate(stroke)
    assert min(light) > 200
    assert max(dark) < 60
    assert light_stroke != dark_stroke
    assert all(count > 0 for count in visit.marks().values())
    visit.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["one", "two"])
def test_a_phone_shows_the_page_without_scrolling_sideways(name: str, browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages[name], viewport={"width": 360, "height": 740})
    visit.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    assert visit.page.evaluate("[...document.querySelectorAll('.chart svg')].every(svg => svg.clientWidth <= 340)")
    visit.close()


@pytest.mark.slow
@pytest.mark.parametrize(("motion", "first"), [("no-preference", "webp"), ("reduce", "png")])
def test_the_walk_moves_unless_it_is_not_to(motion: str, first: str, browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["one"], reduced_motion=motion)
    source = "document.querySelector('picture img').currentSrc"
    shown = visit.page.evaluate(source)
    assert shown.startswith(f"data:image/{first};")
    visit.page.get_by_role("button", name="Pause" if motion == "no-preference" else "Play").press("Enter")
    visit.page.wait_for_function(f"!{source}.startsWith('data:image/{first};')")
    moving = shown if first == "webp" else visit.page.evaluate(source)
    assert Image.open(io.BytesIO(b64decode(moving.partition(",")[2]))).n_frames > 1  # type: ignore[attr-defined]
    visit.close()


@pytest.mark.slow
def test_every_picture_says_what_it_shows(browser: Any, pages: dict[str, Path]) -> None:
    visit = Visit(browser, pages["two"])
    assert visit.page.evaluate("[...document.images].every(image => image.alt && image.naturalWidth > 0)")
    assert visit.page.evaluate("document.images.length") == 4
    visit.close()
