"""Folder of an export; it replaces only files of an earlier export."""

import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from slimgan_pl.errors import SlimGANError
from slimgan_pl.export.model_card import CARD_JSON, CARD_MARKDOWN
from slimgan_pl.utils.files import check_folder, write_whole, writing_output

__all__ = ["filling", "find_output"]


def find_output(output: str, overwrite: bool) -> Path:
    """Check and return the folder of an export.

    Args:
        output: Its path.
        overwrite: Whether the files of an earlier export may be replaced; others never are.

    Raises:
        SlimGANError: If other files are there.
    """
    if not output:
        raise SlimGANError("--output is empty; name a folder, such as export")
    folder = Path(output)
    check_folder(folder)
    if folder.is_symlink() and not folder.exists():
        raise SlimGANError(f"{folder} is a broken link; name another --output")
    if folder.is_dir() and any(folder.iterdir()):
        if read_card(folder) is None:
            raise SlimGANError(f"{folder} exists and holds no export; name another --output")
        if not overwrite:
            raise SlimGANError(f"{folder} already holds an export; name another --output, or give --overwrite true")
    return folder


@contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """Fill a temporary folder that becomes the real one only on success.

    Files that the card of an earlier export lists are removed; other files stay.

    Raises:
        SlimGANError: If a file of another origin has the name of a new one, or the system refuses to write.
    """
    with writing_output("the export", folder):
        is_new = not folder.exists()
        if is_new:
            folder.parent.mkdir(parents=True, exist_ok=True)
        # Inside an existing folder, which may be on another disk than its parent.
        scratch = Path(mkdtemp(prefix=".export-", dir=folder.parent if is_new else folder))
        try:
            yield scratch
            if is_new:
                move_whole(scratch, folder)
            else:
                move_files(scratch, folder)
        finally:
            shutil.rmtree(scratch, ignore_errors=True)


def move_whole(scratch: Path, folder: Path) -> None:
    """Make the filled folder the real one, in one step."""
    mask = os.umask(0)
    os.umask(mask)
    scratch.chmod(0o777 & ~mask)  # temporary folders are for their owner alone
    if folder.exists():
        raise SlimGANError(f"{folder} was created meanwhile; name another --output")
    scratch.rename(folder)


def move_files(scratch: Path, folder: Path) -> None:
    """Move files into the real folder, whose card always lists all."""
    new = sorted(path.relative_to(scratch) for path in scratch.rglob("*") if path.is_file())
    old = earlier_files(folder)
    root = folder.resolve()
    for path in new:
        target = folder / path
        if (os.path.lexists(target) and path not in old) or not target.parent.resolve().is_relative_to(root):
            raise SlimGANError(
                f"{target} exists and is not of an earlier export; move it away or name another --output"
            )
    content = (scratch / CARD_JSON).read_bytes()
    card = json.loads(content)
    card["page"] += sorted(path.as_posix() for path in old)
    write_whole(folder / CARD_JSON, json.dumps(card, indent=2).encode())
    for path in new:
        if path.name != CARD_JSON:
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            os.replace(scratch / path, folder / path)
    for path in old.difference(new):
        (folder / path).unlink(missing_ok=True)
        with suppress(OSError):  # a folder with other files stays
            (folder / path).parent.rmdir()
    write_whole(folder / CARD_JSON, content)


def read_card(folder: Path) -> dict[str, Any] | None:
    """Return the card of an export of this package, or None."""
    try:
        card = json.loads((folder / CARD_JSON).read_text(encoding="utf-8"))
        texts = [card["checkpoint"]["sha256"], *card["page"], *(file["name"] for file in card["files"])]
    except (OSError, ValueError, LookupError, TypeError):
        return None
    return card if isinstance(card["page"], list) and all(isinstance(text, str) for text in texts) else None


def earlier_files(folder: Path) -> set[Path]:
    """Return the relative paths of an earlier export's files in the folder."""
    card = read_card(folder)
    if card is None:
        return set()
    names = [*(file["name"] for file in card["files"]), *card["page"], CARD_JSON, CARD_MARKDOWN]
    root = folder.resolve()
    paths = {Path(name) for name in names if (folder / name).is_file()}
    return {path for path in paths if not path.is_absolute() and (folder / path).resolve().is_relative_to(root)}
