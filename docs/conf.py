"""The site, which ``make docs`` builds: Markdown by MyST, the reference from docstrings."""

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))  # results_page

from results_page import fill
from sphinx.addnodes import pending_xref
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment

import slimgan_pl
from slimgan_pl.utils.recipes import Recorded

project = "slimgan-pl"
author = "the slimgan-pl authors"
release = slimgan_pl.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3  # links such as speed.md#inference

html_theme = "furo"
html_title = "slimgan-pl"
html_static_path = ["site.css"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_copyright = False

autodoc_inherit_docstrings = False  # PyTorch's own
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
autodoc_typehints_format = "short"
autodoc_member_order = "bysource"
add_module_names = False
python_maximum_signature_line_length = 88
python_use_unqualified_type_names = True
napoleon_numpy_docstring = False

nitpick_ignore_regex = [
    # Intersphinx would resolve what is another package's or Python's, but needs the network.
    ("py:.*", r"(torch|torchvision|torchmetrics|lightning|numpy|rich|jsonargparse|onnx|os)\..*|Module|Tensor"),
    ("py:.*", r"(collections|pathlib|abc|typing|argparse)\..*"),
    # Annotations and bases name classes that no package makes public.
    ("py:.*", r"slimgan_pl(\.\w+){2,4}|slimgan_runtime\.\w+\.\w+|ModelProto"),
]

del Recorded.__new__  # its *args would stand for the arguments of all classes that record theirs


def link_to_package(app: Sphinx, env: BuildEnvironment, node: pending_xref, content: Any) -> Any:
    """Lead a link to where a class is defined, in a module, to where it is documented, in the package above."""
    package, _, name = str(node["reftarget"]).rpartition(".")
    if name not in slimgan_pl.__all__ and not package.startswith("slimgan_pl."):
        return None
    home = "slimgan_pl" if name in slimgan_pl.__all__ else ".".join(package.split(".")[:2])
    target = f"{home}.{name}"
    domain = env.get_domain("py")
    return domain.resolve_xref(env, node["refdoc"], app.builder, node["reftype"], target, node, content)


def skip_field(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Leave out the fields of named tuples, which their signatures show."""
    return True if str(getattr(member, "__doc__", None)).startswith("Alias for field number") else None


def keep_colon(app: Sphinx, what: str, name: str, member: object, options: object, lines: list[str]) -> None:
    """Have napoleon take the first line of a property for what it says: up to a colon it would be its type."""
    if what == "property":
        lines.insert(0, "\\ ")


def fill_results(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the results into their page."""
    source[0] = fill(source[0], Path(app.srcdir) / "results")


def setup(app: Sphinx) -> None:
    """Connect the functions above."""
    app.connect("missing-reference", link_to_package)
    app.connect("autodoc-skip-member", skip_field)
    app.connect("autodoc-process-docstring", keep_colon, priority=1)
    app.connect("source-read", fill_results)
