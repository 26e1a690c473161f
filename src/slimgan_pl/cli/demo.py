"""``slimgan demo``: a checkpoint in the browser, on this machine."""

import os
import sys

from slimgan_pl.export.formats import FloatPrecision
from slimgan_pl.utils.weights import Weights

__all__ = ["demo"]


def demo(
    ckpt_path: str,
    port: int = 8000,
    open_browser: bool = True,
    precision: FloatPrecision = "float32",
    onnxruntime_web: str | None = None,
    trust_checkpoint: bool = False,
    weights: Weights = "averaged",
    truncation: float = 1.0,
) -> None:
    """Sample and time a checkpoint's widths in the browser, until Ctrl-C.

    Args:
        ckpt_path: Checkpoint that ``slimgan fit`` wrote.
        port: Port on this machine, which no other can reach; 0 for any that is free.
        open_browser: Open the page in the browser.
        precision: Of the weights.
        onnxruntime_web: The npm package onnxruntime-web as a file; by default npm fetches it, once.
        trust_checkpoint: Let the checkpoint name classes of other packages, whose code is then run.
        weights: The averaged weights where training has kept an average, or the raw ones.
        truncation: Share of the styles' distance from their mean that stays, 0 to 1, for nets with styles such as
            StyleGAN2: less varied images of fewer faults.
    """
    import threading
    import webbrowser
    from pathlib import Path
    from tempfile import TemporaryDirectory

    from slimgan_pl.export.formats.registry import make_format
    from slimgan_pl.export.parity import check_parity
    from slimgan_pl.export.web import SiteServer, serve
    from slimgan_pl.runs.checkpoints import read_source
    from slimgan_pl.utils.signals import interrupting

    format = make_format("web", precision, onnxruntime_web=onnxruntime_web)
    source = read_source(ckpt_path, trust_checkpoint, weights)
    source.model.truncate(truncation)
    format.prepare()
    with TemporaryDirectory(prefix="slimgan-demo-") as name, SiteServer(Path(name), port) as server, interrupting():
        generator = source.model.inference_generator
        for written in format.write(source, generator.widths, Path(name)):
            check_parity(format, written, generator)
        print(f"{server.address} shows {ckpt_path}; Ctrl-C ends it", flush=True)
        if open_browser and has_screen():
            # some browsers return only when the user closes them; the server has to run before
            threading.Thread(target=webbrowser.open, args=(server.address,), daemon=True).start()
        serve(server)


def has_screen() -> bool:
    """Return whether there is a screen.

    Without one, a browser of text would take over the terminal.
    """
    return sys.platform in ("win32", "darwin") or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
