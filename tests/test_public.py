"""The public face: its names, its documentation, and what importing it costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import workbench as wb

ROOT = Path(__file__).parents[1]
PIPES = {"worker.py", "distribution.py"}
"""The two ends of a pipe between processes of our own in `simulate`; they alone may pickle."""
PUBLIC_FILES = sorted((ROOT / "workbench").rglob("*.py"))


@pytest.mark.parametrize("name", wb.__all__)
def test_every_public_name_exists_and_is_documented(name):
    assert getattr(wb, name).__doc__


def test_every_noun_of_physics_is_at_hand():
    code = (
        "import workbench as wb; physics = wb.physics;"
        "physics.observables.OBSERVABLES, physics.lund.primary_lund_plane, physics.images.jet_images, physics.graphs.knn,"
        "physics.substructure.soft_drop, physics.clustering.cluster, physics.distributions.distribution,"
        "physics.efficiency.efficiency, physics.calibration.reliability"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'tagger'"):
        _ = wb.tagger


@pytest.mark.parametrize("name", [name for name in wb.__all__ if name not in {"simulate", "physics"}])
def test_the_readme_shows_every_public_name(name):
    assert f"wb.{name}" in (ROOT / "README.md").read_text()


def test_importing_the_package_loads_nothing_heavy():
    code = (
        "import sys, workbench; heavy = {'torch', 'sklearn', 'panel', 'distributed', 'awkward', 'uproot'} & set(sys.modules);"
        "sys.exit(str(heavy) if heavy else None)"
    )
    finished = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr


@pytest.mark.parametrize("path", PUBLIC_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_nothing_prints_evaluates_or_unpickles(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"print", "eval", "exec", "breakpoint"}, f"line {node.lineno}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [alias.name for alias in node.names] + [getattr(node, "module", "") or ""]
            private = path.parent.name == "simulate" and path.name in PIPES
            assert private or not {"pickle", "joblib", "dill"} & set(names), f"line {node.lineno}"
        if isinstance(node, ast.keyword) and node.arg == "allow_pickle":
            assert ast.unparse(node.value) == "False", f"line {node.value.lineno}"


@pytest.mark.parametrize("path", PUBLIC_FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_functions_stay_short(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno - node.lineno < 70, f"{node.name} at line {node.lineno}"
