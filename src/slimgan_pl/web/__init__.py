"""A generator as a page that draws in the browser of whoever visits it."""

from slimgan_pl.web.files import width_facts, write_site
from slimgan_pl.web.onnxruntime_web import runtime_files
from slimgan_pl.web.server import SiteServer, serve

__all__ = ["SiteServer", "runtime_files", "serve", "width_facts", "write_site"]
