"""The blocks of the documentation: found by a Markdown parser, and made small enough to be run."""

import ast
import re
import shlex
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType
from typing import NamedTuple

from jsonargparse import Namespace
from markdown_it import MarkdownIt

__all__ = [
    "DIRECTIVES",
    "LANGUAGES",
    "PAGES",
    "REASONS",
    "ROOT",
    "Block",
    "commands",
    "inline",
    "parse",
    "read",
    "shrink",
    "small_python",
    "take_stand_ins",
]

ROOT = Path(__file__).parents[2]
PAGES = ["README.md", *sorted(str(path.relative_to(ROOT)) for path in (ROOT / "docs").rglob("*.md"))]
LANGUAGES = {"sh", "python", "yaml", "text"}
DIRECTIVES = {"{container}", "{eval-rst}", "{include}", "{toctree}"}
REASONS = {"network", "several devices", "SLURM", "an account", "a browser"}  # what tests lack

MARK = re.compile(r"<!-- needs: (.*) -->")
FILE = re.compile(r"# file: (\S+)\n")


class Block(NamedTuple):
    """A block of a page: where it begins, its language, what it holds, and what it needs that tests lack, or None."""

    line: int
    language: str
    text: str
    needs: str | None

    @property
    def file(self) -> str | None:
        """The name of the file that the block is."""
        match = FILE.match(self.text)
        return match[1] if match else None


def read(page: str) -> list[Block]:
    """Return the blocks of a page of the repository."""
    return list(parse((ROOT / page).read_text()))


def parse(text: str) -> Iterator[Block]:
    """Yield the blocks of a Markdown text; one that is only indented has no language.

    Raises:
        ValueError: If a mark stands before no block, or its reason is not known.
    """
    marks = 0
    mark = None
    for token in MarkdownIt("commonmark").parse(text):
        if token.type in ("fence", "code_block") and token.map is not None:
            marks += mark is not None
            yield Block(token.map[0] + 1, token.info.strip().split(" ")[0], token.content, mark)
        match = MARK.fullmatch(token.content.strip()) if token.type == "html_block" else None
        mark = match[1] if match else None
        if mark is not None and mark not in REASONS:
            raise ValueError(f"nothing is known to need {mark}; choose one of {', '.join(sorted(REASONS))}")
    if marks != len(MARK.findall(text)):
        raise ValueError("a mark has to stand right before the block that it is about")


def inline(page: str) -> list[str]:
    """Return what stands in backquotes within the text of a page."""
    tokens = MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text())
    inside = [child for token in tokens for child in token.children or []]
    return [token.content for token in inside if token.type == "code_inline"]


def commands(block: Block) -> list[list[str]]:
    """Return the words of each command of a block."""
    lines = block.text.replace("\\\n", " ").splitlines()
    return [words for words in (shlex.split(line, comments=True) for line in lines) if words]


def small_python(block: Block, path: str) -> CodeType:
    """Return a block's program with a sixteenth of the channels, two iterations and batches of two images."""
    tree = ast.increment_lineno(Smaller().visit(ast.parse(block.text)), block.line)
    code: CodeType = compile(ast.fix_missing_locations(tree), path, "exec")
    return code


class Smaller(ast.NodeTransformer):
    """Changes what is given by these names, and the batches of the data modules."""

    def visit_keyword(self, node: ast.keyword) -> ast.keyword:
        self.generic_visit(node)  # a call may stand behind **
        if node.arg == "max_steps":
            node.value = ast.Constant(2)
        if node.arg == "channels" and isinstance(node.value, ast.Tuple):
            node.value = ast.parse(str(small_channels(ast.literal_eval(node.value))), mode="eval").body
        return node

    def visit_Call(self, node: ast.Call) -> ast.Call:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id.endswith("DataModule"):
            node.keywords.append(ast.keyword("batch_size", ast.Constant(2)))
        return node


def small_channels(channels: Sequence[int]) -> list[int]:
    """Return a sixteenth of the channels in eights, and eight at least, of which every width has whole groups."""
    return [max(number // 128 * 8, 8) for number in channels]


def shrink(settings: Namespace) -> None:
    """Change the settings of a training so that it takes about a second."""
    settings.trainer.max_steps, settings.trainer.accelerator = 2, "cpu"
    settings.samples.num_latents = 2
    settings.data.init_args.batch_size = 2
    settings.model.micro_batches = 1
    for net in (settings.model.generator, settings.model.discriminators):
        net.init_args.channels = small_channels(net.init_args.channels)
        if "group_size" in net.init_args:  # of two outer channels
            net.init_args.group_size = 4
        if "minibatch_group" in net.init_args:
            net.init_args.minibatch_group = 2
    if settings.model.evaluator is not None:
        for name, number in {"num_real": 8, "num_fake": 8, "num_score": 8, "splits": 1}.items():
            settings.model.evaluator.init_args[name] = number


def take_stand_ins(settings: Namespace) -> None:
    """Change the settings so that stand-ins for published data are taken for them."""
    if "verify" in settings.data.init_args:
        settings.data.init_args.verify = False
