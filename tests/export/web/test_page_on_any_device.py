"""How the page looks, and what it says where something fails."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from visits import Visit

from slimgan_pl.export.web import SiteServer, width_facts, write_site
from slimgan_pl.models import DCGANGenerator

pytest_plugins = ["browser_fixtures"]

pytestmark = pytest.mark.slow


@contextmanager
def serving(folder: Path) -> Iterator[SiteServer]:
    """Serve a folder while the block runs."""
    with SiteServer(folder) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        yield server
        server.shutdown()


def test_a_phone_shows_the_page_without_scrolling_sideways(browser: Any, addresses: Mapping[str, str]) -> None:
    visit = Visit(browser, addresses["own"], viewport={"width": 360, "height": 740}).opened()
    visit.page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
    assert visit.page.evaluate("document.documentElement.scrollWidth") <= 360
    small = """[...document.querySelectorAll("button, select, input:not([type=checkbox]), label.check")]
        .filter(control => control.offsetParent && control.offsetHeight < 44).map(control => control.id)"""
    assert visit.page.evaluate(small) == []
    visit.close()


def test_the_page_follows_the_colour_scheme_until_one_is_chosen_and_keys_can_be_switched_off(
    browser: Any, addresses: Mapping[str, str]
) -> None:
    visit = Visit(browser, addresses["own"]).opened()
    looks = """[getComputedStyle(document.body).backgroundColor,
        getComputedStyle(document.querySelector("#strip .swatch")).backgroundColor]"""
    light = visit.page.evaluate(looks)
    visit.page.emulate_media(color_scheme="dark")
    dark = visit.page.evaluate(looks)
    assert light[0] != dark[0]
    assert light[1] != dark[1]
    visit.page.get_by_role("button", name="Theme: system").click()
    assert visit.page.evaluate(looks) == light
    visit.page.get_by_text("Keyboard").click()
    visit.page.get_by_role("checkbox", name="Letters, digits").uncheck()
    visit.page.reload()
    visit.opened()
    visit.page.keyboard.press("1")
    visit.settle()
    assert visit.text("stage-width") == "Width 1"
    assert visit.page.evaluate(looks) == light
    visit.page.get_by_role("button", name="Theme: light").click()
    assert visit.page.evaluate(looks) == dark
    visit.close()


def test_a_generator_of_one_width_has_nothing_to_choose(
    browser: Any, runtime: dict[str, bytes], tmp_path: Path
) -> None:
    onnx_graphs = pytest.importorskip("slimgan_pl.export.onnx_graphs")
    generator = DCGANGenerator((8, 8), latent_dim=8, image_channels=1, widths=(1.0,)).eval()
    write_site(onnx_graphs.multi_width_graph(generator), tmp_path, "One", width_facts(generator), runtime)
    with serving(tmp_path) as server:
        visit = Visit(browser, server.address).opened()
        visit.page.keyboard.press("a")
        visit.settle()
        assert visit.text("stage-width") == "Width 1"
        assert not visit.page.locator("#width").is_visible()
        assert not visit.page.locator("#auto").is_visible()
        assert visit.page.evaluate("slimgan.state.isAuto") is False
        visit.page.evaluate("slimgan.measured.timings = 3")
        visit.page.get_by_role("button", name="Measure").click()
        visit.until("document.getElementById('status').textContent", "Measured all widths.")
        assert visit.troubles == []
        visit.close()


def test_a_file_that_does_not_come_is_told_with_what_to_do(browser: Any, addresses: Mapping[str, str]) -> None:
    page = {"status": 200, "body": "<!DOCTYPE html>", "content_type": "application/octet-stream"}
    answers = {"abort": lambda route: route.abort(), "page": lambda route: route.fulfill(**page)}
    arrive = "did not arrive: check the connection to the server, and reload the page."
    holds = "holds something else on this server: log in there, or copy the whole folder"
    wasm = "ort/ort-wasm-simd-threaded.wasm"
    cases = [
        ("facts.json", "abort"),
        ("facts.json", "page"),
        ("generator.onnx", "abort"),
        ("generator.onnx", "page"),
        (wasm, "page"),
    ]
    for path, how in cases:
        visit = Visit(browser, addresses["own"], answers={f"**/{path}*": answers[how]})
        visit.page.locator("#error").wait_for()
        assert visit.text("error").startswith(f"{Path(path).name} {arrive if how == 'abort' else holds}")
        assert visit.text("status") == ""
        visit.close()


def test_a_failure_ends_the_page_where_it_is_seen(browser: Any, addresses: Mapping[str, str]) -> None:
    visit = Visit(browser, addresses["own"], viewport={"width": 360, "height": 600}).opened()
    visit.page.evaluate("scrollTo(0, 1e6)")
    visit.page.evaluate("() => { slimgan.runner.generate = async () => { throw new Error('It broke.'); }; }")
    visit.page.evaluate("slimgan.setSeed(3)")
    visit.page.locator("#error").wait_for()
    assert visit.text("error") == "It broke."
    assert visit.page.evaluate("document.activeElement.id") == "error"
    assert visit.page.evaluate("document.getElementById('main').inert")
    assert 0 <= visit.page.locator("#error").bounding_box()["y"] < 600
    visit.close()


def test_a_generator_that_is_missing_is_told(browser: Any, site: Path, tmp_path: Path) -> None:
    shutil.copytree(site, tmp_path / "site")
    (tmp_path / "site" / "generator.onnx").unlink()
    with serving(tmp_path / "site") as server:
        visit = Visit(browser, server.address)
        visit.page.locator("#error").wait_for()
        assert visit.text("error").startswith("generator.onnx is missing on this server (404): copy the whole folder")
        visit.close()


def test_a_page_that_no_server_gives_says_so(browser: Any, site: Path) -> None:
    visit = Visit(browser, (site / "index.html").as_uri())
    visit.page.locator("#unserved").wait_for()
    assert visit.page.locator("#unserved").is_visible()
    assert "python -m http.server --bind 127.0.0.1 --directory site" in visit.text("unserved")
    visit.close()
