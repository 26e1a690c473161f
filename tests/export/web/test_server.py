"""The local server, and what ends it."""

import http.client
import os
import signal
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.web import SiteServer, serve
from slimgan_pl.export.web.server import SiteHandler


@pytest.fixture
def server(tmp_path: Path) -> Iterator[SiteServer]:
    """Return a server of a folder that holds a file of each kind."""
    for name in ("index.html", "app.js", "ort.mjs", "style.css", "facts.json", "net.wasm", "generator.onnx"):
        (tmp_path / name).write_text(name)
    (tmp_path / "ort").mkdir()
    with SiteServer(tmp_path) as running:
        threading.Thread(target=running.serve_forever, args=(0.01,), daemon=True).start()
        yield running
        running.shutdown()


def get(url: str) -> tuple[Message, bytes]:
    with urllib.request.urlopen(url, timeout=10) as response:
        return response.headers, response.read()


def status(server: SiteServer, path: str, host: str) -> int:
    """Return how a path is answered that is asked for under some name of this machine."""
    connection = http.client.HTTPConnection("127.0.0.1", server.server_port, timeout=10)
    connection.request("GET", path, headers={"Host": host})
    found = connection.getresponse().status
    connection.close()
    return found


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", "text/html; charset=utf-8"),
        ("app.js", "text/javascript; charset=utf-8"),
        ("ort.mjs", "text/javascript; charset=utf-8"),
        ("style.css", "text/css; charset=utf-8"),
        ("facts.json", "application/json"),
        ("net.wasm", "application/wasm"),
        ("generator.onnx", "application/octet-stream"),
    ],
)
def test_every_file_has_its_type(name: str, kind: str, server: SiteServer) -> None:
    headers, content = get(server.address + name)
    assert headers["Content-Type"] == kind
    assert content.decode() == (name or "index.html")


def test_the_page_is_isolated_so_that_it_may_have_threads(server: SiteServer) -> None:
    headers, _ = get(server.address)
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Embedder-Policy"] == "require-corp"
    assert headers["Cache-Control"] == "no-cache"


@pytest.mark.parametrize("path", ["ort/", "nothing.js", "../secret", "%2e%2e/secret"])
def test_no_folder_is_listed_and_nothing_outside_is_given(path: str, server: SiteServer, tmp_path: Path) -> None:
    (tmp_path.parent / "secret").write_text("secret")
    with pytest.raises(urllib.error.HTTPError) as failure:
        get(server.address + path)
    assert failure.value.code == 404


def test_no_other_machine_is_answered(server: SiteServer) -> None:
    assert server.socket.getsockname()[0] == "127.0.0.1"


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8000", "127.0.0.1:1", "[::1]:8000"])
def test_names_of_this_machine_are_answered(host: str, server: SiteServer) -> None:
    assert status(server, "/", host) == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:8000", "localhost.evil.example", "127.0.0.1.example", ""]
)
def test_a_name_that_was_made_to_lead_here_is_refused(host: str, server: SiteServer) -> None:
    assert status(server, "/facts.json", host) == 403


def test_a_path_that_no_file_can_have_is_not_found(server: SiteServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(server, "/a%00b", "localhost") == 404
    assert capsys.readouterr() == ("", "")


def test_a_request_that_fails_is_told_in_a_line(
    server: SiteServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise ValueError("broken")

    monkeypatch.setattr(SiteHandler, "translate_path", fail)
    with pytest.raises(http.client.RemoteDisconnected):
        status(server, "/", "localhost")
    server.shutdown()
    assert capsys.readouterr().err == "a request failed (ValueError: broken)\n"


def test_a_port_that_is_taken_is_told(server: SiteServer, tmp_path: Path) -> None:
    with pytest.raises(SlimGANError, match=f"port {server.server_port} is taken; name another --port, or 0 for any"):
        SiteServer(tmp_path, server.server_port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_cannot_be_is_told(port: int, tmp_path: Path) -> None:
    with pytest.raises(SlimGANError, match="the port is"):
        SiteServer(tmp_path, port)


@pytest.mark.parametrize("signum", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serving_quietly(signum: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:

    class Signalled(SiteServer):
        def service_actions(self) -> None:  # while it serves, so that the handlers are there
            os.kill(os.getpid(), signum)

    server = Signalled(tmp_path)
    serve(server)
    assert server.fileno() == -1
    assert capsys.readouterr() == ("", "")
