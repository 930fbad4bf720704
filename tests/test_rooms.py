"""Which room may import which. This file is the rule; the README draws it once."""

import ast
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "workbench"
BELOW = {
    "data": set(),
    "physics": {"data"},
    "simulate": {"data", "physics"},
    "models": set(),
    "engines": {"data", "physics", "simulate", "models"},
    "explanation": {"data", "physics", "models", "engines"},
    "jobs": {"data", "physics", "simulate", "models", "engines", "explanation"},
    "state": {"data", "physics", "jobs", "loading"},
    "views": {"data", "physics"},
    "widgets": {"data", "physics", "simulate", "models", "engines", "explanation", "jobs", "state", "views"},
    "loading": {"data", "physics"},
}
LEAVES = {"errors", "progress"}
THIRD_PARTY = {
    "panel": {"widgets", "apps"},
    "panel_material_ui": {"widgets", "apps"},
    "bokeh": {"views", "widgets"},
    "holoviews": {"views", "widgets"},
    "uproot": {"data"},
    "h5py": {"data"},
    "hdf5plugin": {"data"},
    "pyarrow": {"data"},
    "pyhepmc": {"data"},
    "pylhe": {"data"},
    "pythia8mc": {"simulate"},
    "fastjet": {"physics"},
    "hist": {"physics", "explanation"},
    "torch": {"models", "engines", "explanation"},
    "safetensors": {"engines"},
    "lightning_fabric": {"engines"},
    "sklearn": {"engines"},
    "captum": {"explanation"},
    "dask": {"jobs"},
    "distributed": {"jobs"},
    "mlflow": {"jobs"},
}
FILES = sorted(ROOT.rglob("*.py"))
APPS = sorted((ROOT.parent / "apps").glob("*.py"))


def imported(path):
    """Yields (module parts, is inside a function) of every import in a file."""
    tree = ast.parse(path.read_text())
    inside = {
        id(node)
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(function)
    }
    here = path.parent.relative_to(ROOT.parent).parts
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield tuple(alias.name.split(".")), id(node) in inside
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level + 1] if node.level else ()
            module = tuple(node.module.split(".")) if node.module else ()
            if len(base) + len(module) == 1:
                for alias in node.names:
                    yield (*base, *module, alias.name), id(node) in inside
            else:
                yield (*base, *module), id(node) in inside


def room_of(path):
    parts = path.relative_to(ROOT.parent).parts
    return parts[0] if parts[0] == "apps" else parts[1].removesuffix(".py")


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_point_downwards(path):
    room = room_of(path)
    for target, _ in imported(path):
        if target[0] == "workbench" and room != "__init__":
            assert len(target) > 1, f"{path} imports the whole package; name the room"
            allowed = {room} | LEAVES | BELOW.get(room, set())
            assert target[1] in allowed, f"{room} may not import {target[1]}"


@pytest.mark.parametrize("path", FILES + APPS, ids=lambda p: str(p.relative_to(ROOT.parent)))
def test_third_parties_stay_in_their_room(path):
    room = room_of(path)
    for target, _ in imported(path):
        allowed = THIRD_PARTY.get(target[0])
        assert allowed is None or room in allowed, f"{target[0]} belongs in {sorted(allowed)}, not in {room}"


@pytest.mark.parametrize("path", FILES + APPS, ids=lambda p: str(p.relative_to(ROOT.parent)))
def test_nothing_is_imported_inside_a_function(path):
    optional = {"pyhf", "onnx", "onnxruntime", "mplhep", "xgboost", "anywidget"}
    late = [target for target, inside in imported(path) if inside and target[0] not in optional]
    assert not late, f"imports inside functions: {late}"


def test_every_room_has_a_rule():
    rooms = {p.name for p in ROOT.iterdir() if p.is_dir() and p.name not in {"__pycache__"}}
    assert rooms <= set(BELOW)


def test_the_rule_has_no_cycle():
    closed = set()
    while len(closed) < len(BELOW):
        free = {room for room in BELOW if room not in closed and BELOW[room] <= closed}
        assert free, f"cycle among {sorted(set(BELOW) - closed)}"
        closed |= free


def test_a_violation_would_be_seen(tmp_path, monkeypatch):
    bad = tmp_path / "workbench" / "models" / "bad.py"
    bad.parent.mkdir(parents=True)
    bad.write_text("from ..data.jets import Jets\nimport panel\n\ndef f():\n    import torch\n")
    monkeypatch.setattr(sys.modules[__name__], "ROOT", tmp_path / "workbench")
    for test in (
        test_imports_point_downwards,
        test_third_parties_stay_in_their_room,
        test_nothing_is_imported_inside_a_function,
    ):
        with pytest.raises(AssertionError):
            test(bad)
