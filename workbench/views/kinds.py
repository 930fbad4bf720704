"""How each kind of particle looks in the flat views: a colour, and a shape, a dash and a width for those who see none."""

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from bokeh.palettes import interp_palette

from .event import Scene
from .palette import OKABE_ITO, RELEVANCE, symmetric_limit


@dataclass(frozen=True)
class Look:
    """Of one kind of particle; `wide` in screen units."""

    name: str
    colour: str
    marker: str
    dash: str
    wide: float


LOOKS = (
    Look("charged hadron", "#1F86C9", "circle", "solid", 1.3),
    Look("neutral hadron", "#6F8F7C", "square", "dotdash", 1.3),
    Look("photon", "#B58900", "triangle", "dotted", 1.6),
    Look("electron", "#D98200", "diamond", "dashed", 2.2),
    Look("muon", "#D55E00", "star", "solid", 3.4),
    Look("unknown", "#8C8C8C", "circle_dot", "solid", 0.9),
    Look("tau", "#BE6298", "hex", "dashdot", 2.6),
)
"""In the order of `event.KINDS`; the colours read on white and on a dark page (3:1 or better)."""

EXPERIMENT = ("#4C9A1F", "#4C80D8", "#A98800", "#12998A", "#E03A3A", "#8C8C8C", "#D0559A")
"""The colours that displays of experiments often have: green tracks, red muons."""

ECAL, HCAL, CALORIMETER = "#009E73", "#3A97D0", "#8C8C8C"
JET, MET = "#A89200", "#BE6298"
WITHOUT = "#9A9A9A"
"""A particle of which the coloured quantity is not known."""

STRENGTH = tuple(interp_palette(("#7FAFDB", "#3B8AC0", "#B58900", "#D55E00"), 255))
"""From soft to hard on either page."""

TOLD = (("particle", "@row, @kind"), ("pT", "@pt{0.00} GeV"), ("η, φ", "@eta{0.000}, @phi{0.000}"))
TOLD_OF_JETS = (("jet", "@row"), ("pT", "@pt{0.0} GeV"), ("η, φ", "@eta{0.00}, @phi{0.00}"))
RELEVANCE_TOLD = ("relevance", "@relevance{+0.000}")
"""What is read where the pointer rests."""

SIGNS = MappingProxyType({"+": "#D55E00", "-": "#1F86C9", "0": "#8C8C8C"})


def along(values: np.ndarray, low: float, high: float, palette: tuple[str, ...]) -> np.ndarray:
    """Returns the colour of each value on a linear scale, `WITHOUT` where it is nan."""
    share = (np.asarray(values, dtype=np.float64) - low) / ((high - low) or 1.0)
    step = np.clip(np.nan_to_num(share) * len(palette), 0, len(palette) - 1).astype(int)
    found = np.array(palette, dtype=object)[step]
    found[np.isnan(share)] = WITHOUT
    return found


def relevance_limit(scene: Scene) -> float:
    """Returns the end of the symmetric scale of relevance, in units of the score."""
    relevance = scene.column("particles", "relevance")
    return symmetric_limit(relevance[np.isfinite(relevance)])


def colours(scene: Scene, by: str, palette: str = "colour-blind safe") -> np.ndarray:
    """Returns one colour per particle of the scene.

    Args:
        scene: What is drawn.
        by: "kind", "pt", "charge", "vertex" (distance from the beam where it starts), "relevance" or "one".
        palette: "colour-blind safe" or "experiment", for the kinds.
    """
    kind = scene.column("particles", "kind").astype(int)
    if by == "kind":
        table = EXPERIMENT if palette == "experiment" else tuple(look.colour for look in LOOKS)
        return np.array(table, dtype=object)[kind]
    if by == "relevance":
        limit = relevance_limit(scene)
        return along(scene.column("particles", "relevance"), -limit, limit, RELEVANCE)
    if by == "pt":
        return along(np.log10(np.maximum(scene.column("particles", "pt"), 1e-3)), -0.5, 2.5, STRENGTH)
    if by == "charge":
        charge = scene.column("particles", "charge")
        sign = np.where(charge > 0, SIGNS["+"], np.where(charge < 0, SIGNS["-"], SIGNS["0"])).astype(object)
        sign[np.isnan(charge)] = WITHOUT
        return sign
    if by == "vertex":
        away = 1e6 * np.hypot(scene.column("particles", "x"), scene.column("particles", "y"))
        return along(np.log10(np.maximum(away, 1e-3)), 0.5, 4.0, STRENGTH)
    return np.full(len(kind), OKABE_ITO[0], dtype=object)


def scale(scene: Scene, by: str) -> tuple[float, float, tuple[str, ...], str] | None:
    """Returns low, high, palette and title of the colour scale, None where colours stand for words."""
    if by == "relevance":
        limit = relevance_limit(scene)
        return -limit, limit, RELEVANCE, "relevance [units of the score]"
    if by == "pt":
        return -0.5, 2.5, STRENGTH, "log10 pT/GeV"
    if by == "vertex":
        return 0.5, 4.0, STRENGTH, "log10 distance from the beam/µm"
    return None


def rows(scene: Scene, by: str = "kind", palette: str = "colour-blind safe") -> dict[str, np.ndarray]:
    """Returns the columns that every flat view has of its particles: values to cut on and to read, and how they look."""
    kind = scene.column("particles", "kind").astype(int)
    names = ("pt", "eta", "phi", "charge", "relevance")
    return {
        **{name: scene.column("particles", name) for name in names},
        "code": kind.astype(np.int32),
        "row": np.arange(len(kind), dtype=np.int32),
        "kind": np.array([look.name for look in LOOKS], dtype=object)[kind],
        "marker": np.array([look.marker for look in LOOKS], dtype=object)[kind],
        "dash": np.array([look.dash for look in LOOKS], dtype=object)[kind],
        "wide": np.array([look.wide for look in LOOKS], dtype=np.float32)[kind],
        "colour": colours(scene, by, palette),
    }


def no_rows() -> dict[str, np.ndarray]:
    """Returns the columns of `rows`, without particles."""
    numbers = dict.fromkeys(("pt", "eta", "phi", "charge", "relevance", "wide"), np.zeros(0, np.float32))
    codes = dict.fromkeys(("code", "row"), np.zeros(0, np.int32))
    words = dict.fromkeys(("kind", "marker", "dash", "colour"), np.zeros(0, object))
    return {**numbers, **codes, **words}
