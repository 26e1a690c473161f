"""A generator as a page that draws in the browser of whoever visits it."""

from slimgan_pl.export.web.onnxruntime_web import runtime_files
from slimgan_pl.export.web.page_files import width_facts, write_site
from slimgan_pl.export.web.server import SiteServer, serve

__all__ = ["SiteServer", "runtime_files", "serve", "width_facts", "write_site"]
