"""``slimgan demo``: a checkpoint in the browser, on this machine."""

import os
import sys
import threading
import webbrowser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import get_args

from slimgan_pl.errors import check_choice
from slimgan_pl.export.parity import compared
from slimgan_pl.export.precision import FloatPrecision
from slimgan_pl.export.web import SiteServer, runtime_files, serve
from slimgan_pl.export.web.page import write_page
from slimgan_pl.export.writers import check_onnx, write_files
from slimgan_pl.runs.checkpoints import read_source
from slimgan_pl.utils.signals import interrupting

__all__ = ["demo"]


def demo(
    ckpt_path: str,
    port: int = 8000,
    open_browser: bool = True,
    precision: FloatPrecision = "float32",
    onnxruntime_web: str | None = None,
    trust_checkpoint: bool = False,
) -> None:
    """Show a checkpoint in the browser: every width, drawn and timed there, until Ctrl-C.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        port: Port on this machine, which no other can reach; 0 for any that is free.
        open_browser: Open the page in the browser.
        precision: Of the weights.
        onnxruntime_web: The npm package onnxruntime-web as a file; by default npm fetches it, once.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
    """
    check_choice("--precision", precision, get_args(FloatPrecision))
    source = read_source(ckpt_path, trust_checkpoint)
    check_onnx()
    runtime = runtime_files(onnxruntime_web)
    with TemporaryDirectory(prefix="slimgan-demo-") as name, SiteServer(Path(name), port) as server, interrupting():
        folder, generator = Path(name), source.model.generator
        for written in write_files(generator, "onnx-multi", generator.widths, folder, precision, fold=False):
            compared(written, generator, "onnx-multi", precision, fold=False)
            assert written.graph is not None
            write_page(folder, source, written.graph, runtime)
        print(f"{server.address} shows {ckpt_path}; Ctrl-C ends it", flush=True)
        if open_browser and has_screen():
            # some browsers return only once they are closed, and the page has to be there before
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        serve(server)


def has_screen() -> bool:
    """Return whether a browser has somewhere to be seen; in a terminal alone, one of text would take its place."""
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
