"""What the page does, as a browser shows it, from this package's server and from a plain one."""

import hashlib
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from browser_fixtures import START
from seasoned import seasoned
from sharing import mostly_slow
from visits import Visit

from slimgan_pl.export.onnx_graphs import multi_width_graph
from slimgan_pl.export.web import SiteServer, width_facts, write_site
from slimgan_pl.models import SlimmableGenerator
from slimgan_pl.utils.images import to_bytes

pytest_plugins = ["browser_fixtures"]

WIDTHS = (0.5, 1.0)


@mostly_slow("server", ["own", "plain"])
def test_any_server_does_and_no_other_is_asked(
    server: str, browser: Any, site: Path, addresses: Mapping[str, str]
) -> None:
    visit = Visit(browser, addresses[server]).opened()
    visit.page.get_by_role("button", name="New latent").click()
    visit.settle()
    assert visit.troubles == []
    assert len(visit.requests) > 8
    assert all(url.startswith((addresses[server], "data:")) for url in visit.requests), visit.requests
    digest = hashlib.sha256((site / "generator.onnx").read_bytes()).hexdigest()[:16]
    assert f"{addresses[server]}generator.onnx?v={digest}" in visit.requests
    threads = "since the server does not isolate the page"
    assert (threads in visit.text("setup")) == (server == "plain")
    assert visit.page.evaluate("crossOriginIsolated") == (server == "own")
    visit.close()


def test_every_width_generates_what_torch_generates(visit: Visit, generator: SlimmableGenerator) -> None:
    visit.page.locator("#label").select_option("2")
    visit.settle()
    latent = torch.tensor([list(visit.page.evaluate("[...slimgan.latents]"))])
    for index, width in enumerate(WIDTHS):
        expected = to_bytes(generator(latent, torch.tensor([2]), width=width))[0].numpy()
        assert expected.std() > 1  # an image that is not flat
        shown = visit.pixels(f"#strip li:nth-child({index + 1}) canvas")
        assert np.abs(shown - expected.astype(np.int64)).max() <= 1
        visit.page.locator("#stage").evaluate(f"() => slimgan.chooseWidth({index})")
        visit.settle()
        assert np.abs(visit.pixels("#stage") - shown).max() <= 1


@mostly_slow("name", ["r3", "conditional stylegan2"], keep=0)
def test_nets_without_norms_generate_what_torch_generates(
    name: str, browser: Any, runtime: dict[str, bytes], tmp_path: Path
) -> None:
    net = seasoned(name)
    write_site(multi_width_graph(net), tmp_path, name, width_facts(net), runtime)
    with SiteServer(tmp_path) as server:
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
        visit = Visit(browser, server.address).opened()
        visit.page.evaluate(START)
        visit.page.locator("#label").select_option("2")
        visit.settle()
        latent = torch.tensor([list(visit.page.evaluate("[...slimgan.latents]"))])
        for index, width in enumerate(net.widths):
            with torch.no_grad():
                expected = to_bytes(net(latent, torch.tensor([2]), width=width))[0].numpy()
            assert expected.std() > 1
            shown = visit.pixels(f"#strip li:nth-child({index + 1}) canvas")
            assert np.abs(shown - expected.astype(np.int64)).max() <= 1
        assert visit.troubles == []
        visit.close()
        server.shutdown()


def test_the_slider_changes_the_image_by_keyboard(visit: Visit) -> None:
    slider = visit.page.get_by_role("slider", name="Width", exact=True)
    slider.focus()
    wide = visit.pixels("#stage")
    assert visit.text("stage-width") == "Width 1"
    visit.page.keyboard.press("ArrowLeft")
    visit.settle()
    assert visit.text("stage-width") == "Width 0.5"
    assert slider.get_attribute("aria-valuetext") == "width 0.5"
    assert "ms" in visit.text("stage-time")
    assert (visit.pixels("#stage") != wide).any()
    times = visit.page.locator("#strip li div > span:last-child").all_text_contents()
    assert len(times) == len(WIDTHS)
    assert all(time.endswith(" ms") for time in times)


@pytest.mark.slow
def test_keys_choose_and_letters_in_a_field_do_not(visit: Visit) -> None:
    visit.page.keyboard.press("1")
    assert visit.text("status") == "Width 0.5."
    visit.settle()
    assert visit.text("stage-width") == "Width 0.5"
    for key in ("n", "N"):  # with Caps Lock too
        seed = visit.page.locator("#seed").input_value()
        visit.page.keyboard.press(key)
        assert visit.page.locator("#seed").input_value() != seed
        assert visit.text("status").startswith("New latent, seed ")
    visit.page.locator("#seed").fill("")
    visit.page.locator("#seed").press_sequentially("123")
    visit.page.keyboard.press("Enter")
    visit.settle()
    assert visit.text("stage-width") == "Width 0.5"
    assert visit.page.evaluate("slimgan.state.seed") == 123


@pytest.mark.slow
def test_a_seed_generates_the_same_image_again(visit: Visit) -> None:
    shown: dict[str, list[np.ndarray]] = {}
    for seed in ("5", "6", "5"):
        visit.page.locator("#seed").fill(seed)
        visit.page.keyboard.press("Enter")
        visit.settle()
        shown.setdefault(seed, []).append(visit.pixels("#stage"))
    assert (shown["5"][0] == shown["5"][1]).all()
    assert (shown["5"][0] != shown["6"][0]).any()


@pytest.mark.slow
def test_a_budget_chooses_the_width(visit: Visit) -> None:
    visit.page.get_by_role("checkbox", name="Choose the widest").check()
    for budget, width in (("0.05", "Width 0.5"), ("10000", "Width 1")):
        visit.page.locator("#count").select_option("64" if budget == "0.05" else "1")
        visit.page.locator("#budget").fill(budget)
        visit.page.keyboard.press("Enter")
        visit.settle()
        assert visit.text("stage-width") == width
    assert "chosen by the budget" in visit.text("stage-by")
    visit.page.keyboard.press("Shift+Tab")  # out of the number, so that keys are the page's
    visit.page.get_by_role("slider", name="Width", exact=True).press("ArrowLeft")
    assert not visit.page.locator("#auto").is_checked()


@pytest.mark.slow
def test_a_class_changes_the_image(visit: Visit) -> None:
    before = visit.pixels("#stage")
    visit.page.get_by_label("Class").select_option("a <b> 猫")
    visit.settle()
    assert (visit.pixels("#stage") != before).any()


@pytest.mark.slow
def test_a_walk_changes_the_image_until_it_pauses(visit: Visit) -> None:
    still = visit.pixels("#stage")
    assert "standing still" in visit.text("stage-rate")
    visit.page.get_by_role("button", name="Walk").press("Enter")
    visit.until("slimgan.state.position > 0.2")
    visit.page.get_by_role("button", name="Pause").press("Enter")
    visit.settle()
    moved = visit.pixels("#stage")
    assert (moved != still).any()
    visit.page.wait_for_timeout(100)
    assert (visit.pixels("#stage") == moved).all()


@pytest.mark.slow
def test_a_page_walks_at_once_unless_motion_is_not_wanted(browser: Any, addresses: Mapping[str, str]) -> None:
    visit = Visit(browser, addresses["own"], reduced_motion="no-preference").opened()
    visit.until("slimgan.state.position > 0")
    assert "frames per second" in visit.text("stage-rate")
    visit.page.locator("h1").click()
    visit.page.keyboard.press("Space")
    assert visit.page.evaluate("slimgan.state.isWalking") is False
    visit.close()


@pytest.mark.slow
def test_measuring_fills_the_table(visit: Visit) -> None:
    visit.page.evaluate("slimgan.measured.timings = 3")
    visit.page.get_by_role("button", name="Measure").press("Enter")
    visit.settle()
    assert "measured at" in visit.text("how")
    rows = visit.page.locator("#rows tr").all()
    assert len(rows) == len(WIDTHS)
    for row in rows:
        median, high = (float(text.split()[0]) for text in row.locator("td").all_text_contents()[-3:-1])
        assert 0 < median <= high


@pytest.mark.slow
def test_a_measurement_gives_way_to_what_is_asked_for(visit: Visit) -> None:
    visit.page.evaluate("slimgan.measured.timings = 1e6; slimgan.measured.longest = 1e6")
    button = visit.page.get_by_role("button", name="Measure")
    button.press("Enter")
    visit.until("slimgan.measuring !== null")
    assert button.get_attribute("aria-disabled") == "true"
    assert visit.page.evaluate("document.activeElement.id") == "measure"
    visit.page.evaluate("slimgan.setSeed(8)")
    visit.settle()
    assert visit.page.evaluate("slimgan.measuring") is None
    assert button.get_attribute("aria-disabled") is None
    assert visit.text("status") == "Stopped measuring."
    assert visit.page.locator("#stage").get_attribute("aria-label") == "an image of width 1, seed 8"


@pytest.mark.slow
def test_nothing_is_under_way_once_the_page_is_idle(visit: Visit) -> None:
    """Each batch takes a while here, so that one that is under way would be seen."""
    visit.page.evaluate("""() => {
        const generate = slimgan.runner.generate.bind(slimgan.runner);
        window.underWay = 0;
        slimgan.runner.generate = async (what) => {
            underWay += 1;
            await new Promise((go) => setTimeout(go, 60));
            const images = await generate(what);
            underWay -= 1;
            return images;
        };
        window.restore = () => { slimgan.runner.generate = generate; };
    }""")
    visit.page.evaluate("slimgan.chooseWidth(0)")
    visit.settle()
    assert visit.page.evaluate("underWay") == 0
    assert "width 0.5" in str(visit.page.locator("#stage").get_attribute("aria-label"))
    visit.page.evaluate("restore()")


@pytest.mark.slow
def test_a_short_slow_spell_does_not_narrow_a_page_that_stands_still(visit: Visit) -> None:
    visit.page.evaluate("""() => {
        const generate = slimgan.runner.generate.bind(slimgan.runner);
        let slow = 30;
        slimgan.runner.generate = async (what) => {
            const images = await generate(what);
            slow -= 1;
            return { ...images, milliseconds: slow > 0 ? 1000 : 1 };
        };
        window.restore = () => { slimgan.runner.generate = generate; };
        window.chosen = [];
        const setWidth = slimgan.setWidth.bind(slimgan);
        slimgan.setWidth = (width) => { chosen.push(width); setWidth(width); };
        slimgan.setMilliseconds(50);
        slimgan.setAuto(true);
    }""")
    visit.settle()
    assert visit.page.evaluate("chosen") == [0, 1]
    visit.page.evaluate("restore()")
