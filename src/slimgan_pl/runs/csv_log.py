"""CSV log of a run, which a resumed run continues."""

import csv
import io
import os
from pathlib import Path
from typing import Any

from lightning.fabric.loggers.logger import rank_zero_experiment
from lightning.pytorch.core.saving import save_hparams_to_yaml
from lightning.pytorch.loggers import CSVLogger

from slimgan_pl.runs.folder import RunFolder
from slimgan_pl.utils.files import continuing_without, write_whole

__all__ = ["CSVTable", "RunCSVLogger"]


class CSVTable:
    """CSV file that grows by rows and columns.

    A kill never costs a written row. Rows wait in memory while the file cannot be written.

    Args:
        folder: Where ``metrics.csv`` lies.
        kept_rows: Rows of an existing file to keep; the others are removed.
    """

    def __init__(self, folder: Path, kept_rows: int = 0) -> None:
        self.path = RunFolder(folder).metrics
        self.metrics: list[dict[str, Any]] = []  # rows that wait
        self.columns: list[str] = []
        self.num_rows = 0
        self.hparams: dict[str, Any] = {}
        folder.mkdir(parents=True, exist_ok=True)
        if self.path.exists():
            self._rewrite(self._read()[:kept_rows])

    def log_metrics(self, metrics: dict[str, float], step: int) -> None:
        """Add a row."""
        self.metrics.append({**metrics, "step": step})
        self.num_rows += 1

    def log_hparams(self, params: dict[str, Any]) -> None:
        """Write settings as YAML beside the file."""
        self.hparams.update(params)
        with continuing_without(f"{self.path.parent / 'hparams.yaml'}"):
            save_hparams_to_yaml(self.path.parent / "hparams.yaml", self.hparams)

    def save(self) -> None:
        """Write the waiting rows."""
        if not self.metrics:
            return
        with continuing_without(f"{self.path}"):
            if set().union(*self.metrics) <= set(self.columns) and self.path.exists():
                self._append()
            else:
                self._rewrite(self._read() + self.metrics)
            self.metrics = []

    def _append(self) -> None:
        size = self.path.stat().st_size
        try:
            with self.path.open("a", newline="") as file:
                csv.DictWriter(file, self.columns).writerows(self.metrics)
                file.flush()
                os.fsync(file.fileno())
        except OSError:
            os.truncate(self.path, size)  # remove half a row
            raise

    def _read(self) -> list[dict[str, Any]]:
        if not self.path.exists():
            return []
        with self.path.open(newline="") as file:
            return [{key: value for key, value in row.items() if key and value} for row in csv.DictReader(file)]

    def _rewrite(self, rows: list[dict[str, Any]]) -> None:
        columns = sorted(set().union(*rows))
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, columns)
        writer.writeheader()
        writer.writerows(rows)
        write_whole(self.path, text.getvalue().encode())
        self.columns, self.num_rows = columns, len(rows)  # only after the file is complete


class RunCSVLogger(CSVLogger):
    """Lightning's CSV logger over a ``CSVTable``; a resumed run keeps ``kept_rows``."""

    def __init__(self, save_dir: str, name: str, version: int | None = None, kept_rows: int = 0) -> None:
        super().__init__(save_dir, name, version)
        self.kept_rows = kept_rows
        self._table: CSVTable | None = None

    @property
    def num_rows(self) -> int:
        """Number of rows, on disk or waiting."""
        return 0 if self._table is None else self._table.num_rows

    @property
    @rank_zero_experiment
    def experiment(self) -> CSVTable:
        """The table, created at the first use."""
        if self._table is None:
            self._table = CSVTable(Path(self.log_dir), self.kept_rows)
            self._experiment: Any = self._table
        return self._table
