"""The notebook of the docs runs in a real Jupyter kernel, where an event loop is running."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest
from jupyter_client.kernelspec import KernelSpec
from jupyter_client.manager import AsyncKernelManager
from nbclient import NotebookClient

NOTEBOOK = Path(__file__).parents[1] / "docs" / "notebook.ipynb"


class Manager(AsyncKernelManager):
    """A kernel of this interpreter, whatever kernels are installed on the machine."""

    @property
    def kernel_spec(self) -> KernelSpec:
        """The command that starts the kernel."""
        return KernelSpec(argv=[sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"])


def outputs(cell: Any) -> str:
    """All that a cell shows, as HTML or text."""
    data = [output.get("data", {}) for output in cell.outputs]
    return "".join(each.get("text/html") or each.get("text/plain", "") for each in data)


def test_the_notebook_has_no_outputs() -> None:
    """What is in version control is stripped, so that a run changes nothing there."""
    cells = [cell for cell in nbformat.read(NOTEBOOK, as_version=4).cells if cell.cell_type == "code"]
    assert len(cells) > 5
    assert all(cell.outputs == [] and cell.execution_count is None for cell in cells)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every cell runs, and results are shown as tables."""
    monkeypatch.setenv("PYTHONPATH", str(NOTEBOOK.parents[1]))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(notebook, timeout=120, kernel_manager_class=Manager).execute(cwd=str(tmp_path))
    shown = [outputs(cell) for cell in notebook.cells if cell.cell_type == "code"]
    for name in ("Inspection", "Summary", "Verification", "SyncSummary", "Status"):
        assert any(f"<caption>{name}</caption>" in text for text in shown), name
    assert "<th>committed</th><td>4</td>" in shown[2]
    assert "<th>skipped</th><td>4</td>" in shown[3]
