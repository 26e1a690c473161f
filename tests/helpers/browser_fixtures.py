"""The page, written once, and a browser that the tests of a module share."""

import shutil
import threading
from collections.abc import Iterator, Mapping
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from seasoned import seasoned
from visits import Visit

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.web import SiteServer, runtime_files, width_facts, write_site
from slimgan_pl.models import Classes, SlimmableGenerator
from slimgan_pl.utils.files import default_cache_dir

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

QUIET = ("--disable-background-networking", "--disable-component-update", "--disable-sync", "--no-first-run")

USER_CACHE = default_cache_dir()  # while it is still the user's own: the runtime is large and does not change

START = """() => {
    slimgan.setWalking(false);
    slimgan.setCount(1);
    slimgan.setSeed(7);
    slimgan.change({ label: 0 });
    slimgan.chooseWidth(slimgan.last);
    document.activeElement.blur();
}"""


@pytest.fixture(scope="session")
def generator() -> SlimmableGenerator:
    """Return a tiny conditional generator of 8x8 colour images."""
    made = seasoned("sliceable resnet")
    made.classes = Classes(("cat", "a <b> 猫", "dog", "a long name " * 9, "horse"))
    return made


@pytest.fixture(scope="session")
def runtime() -> dict[str, bytes]:
    """Return ONNX Runtime Web, from the user's own cache where it is there."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(USER_CACHE.parent))
        try:
            return runtime_files()
        except SlimGANError as error:
            pytest.skip(str(error))


@pytest.fixture(scope="session")
def site(generator: SlimmableGenerator, runtime: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the page, some way below one that a server may have as its root."""
    onnx_graphs = pytest.importorskip("slimgan_pl.export.onnx_graphs")
    folder = tmp_path_factory.mktemp("root") / "some" / "path"
    write_site(onnx_graphs.multi_width_graph(generator), folder, "Tiny", width_facts(generator), runtime)
    return folder


@pytest.fixture(scope="session")
def addresses(site: Path) -> Iterator[dict[str, str]]:
    """Return where the page is: at this package's server, and below the root of a plain one."""

    class Plain(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: Any) -> None:
            pass

    own, plain = SiteServer(site), ThreadingHTTPServer(("127.0.0.1", 0), partial(Plain, directory=site.parents[1]))
    for server in (own, plain):
        threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield {"own": own.address, "plain": f"http://127.0.0.1:{plain.server_port}/some/path/"}
    for server in (own, plain):
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """Return a browser, which is closed before tests of other pages start theirs: a process can have one at a time."""
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    with playwright.sync_playwright() as started:
        chromium = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", *QUIET])
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def opened(browser: Any, addresses: Mapping[str, str]) -> Iterator[Visit]:
    """Return a page that several tests use."""
    visit = Visit(browser, addresses["own"]).opened()
    yield visit
    visit.close()


@pytest.fixture
def visit(opened: Visit) -> Iterator[Visit]:
    """Return the page from this package's server, standing still at the widest width, with one image per frame."""
    opened.page.evaluate(START)
    opened.settle()
    yield opened
    assert opened.troubles == []
