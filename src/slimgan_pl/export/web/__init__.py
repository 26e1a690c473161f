"""Page that samples with a generator in the visitor's browser."""

from slimgan_pl.export.web.onnxruntime_web import runtime_files
from slimgan_pl.export.web.page_files import width_facts, write_site
from slimgan_pl.export.web.server import SiteServer, serve

__all__ = ["SiteServer", "runtime_files", "serve", "width_facts", "write_site"]
