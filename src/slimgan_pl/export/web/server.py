"""A web server for the page that only this machine reaches."""

import errno
import os
import re
import socketserver
import sys
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from slimgan_pl.errors import SlimGANError, check_range
from slimgan_pl.export.web.page_files import POLICY
from slimgan_pl.utils.files import reason_of
from slimgan_pl.utils.signals import Interrupted, interrupting

__all__ = ["SiteServer", "serve"]

HOST = "127.0.0.1"
OWN_NAMES = (HOST, "localhost", "[::1]")  # names of this machine; browsers use the last two for forwarded ports

HEADERS = {  # the first two let the page's threads share memory
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Content-Security-Policy": f"{POLICY}; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",
}

TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".mjs": "text/javascript; charset=utf-8",
    ".onnx": "application/octet-stream",
    ".txt": "text/plain; charset=utf-8",
    ".wasm": "application/wasm",
}


class SiteHandler(SimpleHTTPRequestHandler):
    """Handler that answers with files and headers, and prints nothing."""

    extensions_map = TYPES  # the system's own types may be wrong

    def send_head(self) -> Any:
        """Refuse requests for other host names, against DNS rebinding."""
        if without_port(self.headers.get("Host", "")) not in OWN_NAMES:
            self.send_error(HTTPStatus.FORBIDDEN, "Ask for 127.0.0.1 or localhost")
            return None
        if "\0" in unquote(self.path):  # no file name has it, and systems refuse it
            self.send_error(HTTPStatus.NOT_FOUND)
            return None
        return super().send_head()

    def end_headers(self) -> None:
        for name, value in HEADERS.items():
            self.send_header(name, value)
        super().end_headers()

    def list_directory(self, path: Any) -> None:
        self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, format: str, *args: Any) -> None:
        pass


class SiteServer(ThreadingHTTPServer):
    """Server of a folder, for this machine.

    Args:
        folder: The folder.
        port: The port; 0 for any free one.

    Raises:
        SlimGANError: If the port cannot be opened.
    """

    allow_reuse_address = os.name != "nt"  # there it would share a port with another server

    def __init__(self, folder: Path, port: int = 0) -> None:
        check_range("the port", port, 0, 65535)
        try:
            super().__init__((HOST, port), partial(SiteHandler, directory=str(folder)))
        except OSError as error:
            why = "is taken" if error.errno == errno.EADDRINUSE else f"cannot be opened ({reason_of(error)})"
            raise SlimGANError(f"port {port} {why}; name another --port, or 0 for any that is free") from error

    @property
    def address(self) -> str:
        """Address of the page for a browser."""
        return f"http://{HOST}:{self.server_port}/"

    def server_bind(self) -> None:
        socketserver.TCPServer.server_bind(self)  # HTTPServer's asks the network for this machine's name
        self.server_name, self.server_port = HOST, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):  # a browser may close a connection at any time
            print(f"a request failed ({type(error).__name__}: {error})", file=sys.stderr)


def without_port(host: str) -> str:
    """Return the host of a request without its port.

    >>> [without_port(host) for host in ("LocalHost:8000", "[::1]:80", "[::1]", "127.0.0.1")]
    ['localhost', '[::1]', '[::1]', '127.0.0.1']
    """
    return re.sub(r":\d*$", "", host.strip()).lower()


def serve(server: SiteServer) -> None:
    """Answer requests until Ctrl-C or SIGTERM, and close the server."""
    with server, suppress(KeyboardInterrupt, Interrupted), interrupting():
        server.serve_forever()
