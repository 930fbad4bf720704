"""Engines by name, for a process that must not import them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import param

from ..errors import JobError, nearest
from ..progress import Never, Report, Stop, silent

KINDS = {"tagger": "workbench.engines.tagging:Tagger"}
"""Which class each kind of engine is; looked up here only, never by a name found in a file."""


def engine_class(kind: str) -> Any:
    """Returns the engine class of a kind; imports it."""
    if kind not in KINDS:
        msg = f"There is no engine {kind!r}; {nearest(kind, KINDS)}"
        raise JobError(msg)
    module, name = KINDS[kind].split(":")
    return getattr(import_module(module), name)


@dataclass(frozen=True)
class Recipe:
    """An engine that is built where it is fitted: its kind and those parameters that differ from the default."""

    kind: str
    parameters: Mapping[str, Any] = field(default_factory=dict)

    def fit(
        self, data: Any, *, seed: int, report: Report = silent, stop: Stop | None = None, **options: Any
    ) -> Any:
        """Builds the engine, fits it and returns the fitted object."""
        engine = engine_class(self.kind)(**self.parameters)
        return engine.fit(data, seed=seed, report=report, stop=stop or Never(), **options)


def recipe_of(engine: Any) -> Recipe | None:
    """Returns the recipe of an engine of this project, None for any other."""
    if isinstance(engine, Recipe):
        return engine
    name = f"{type(engine).__module__}:{type(engine).__qualname__}"
    for kind, known in KINDS.items():
        if name == known:
            values, parameters = engine.param.values(), engine.param.objects("existing")
            changed = {n: v for n, v in values.items() if n != "name" and v != parameters[n].default}
            return Recipe(kind, changed)
    return None


@dataclass(frozen=True)
class Setting:
    """One parameter of an engine, as a form needs it.

    Attributes:
        name: Name of the parameter.
        kind: Its param class: "Integer", "Number", "Boolean", "Selector", "ListSelector", "String", ...
        default: Its default.
        bounds: Smallest and largest value, or None.
        objects: What may be chosen, for selectors.
        step: Step of a slider, or None.
        doc: What it means.
        precedence: Order and visibility as param has it; below 0 is not for a form.
    """

    name: str
    kind: str
    default: Any
    bounds: tuple[Any, Any] | None
    objects: tuple[Any, ...]
    step: float | None
    doc: str
    precedence: float | None


def describe(kind: str) -> tuple[Setting, ...]:
    """Returns the parameters of an engine; run it in the worker (`submit_call(describe, "tagger")`) to keep torch out."""
    parameters = engine_class(kind).param.objects("existing")
    return tuple(_setting(p) for name, p in parameters.items() if name != "name")


def _setting(parameter: param.Parameter) -> Setting:
    return Setting(
        name=parameter.name,
        kind=type(parameter).__name__,
        default=parameter.default,
        bounds=getattr(parameter, "bounds", None),
        objects=tuple(getattr(parameter, "objects", None) or ()),
        step=getattr(parameter, "step", None),
        doc=(parameter.doc or "").strip(),
        precedence=parameter.precedence,
    )
