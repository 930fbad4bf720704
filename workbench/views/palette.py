"""The colours of every plot, safe for colour-blind readers."""

from collections.abc import Sequence

import numpy as np
from bokeh.palettes import interp_palette

OKABE_ITO = (
    "#1F86C9",  # blue, a little lighter than theirs: it reads on white (4.0:1) and on a dark page (4.7:1)
    "#E69F00",  # orange
    "#009E73",  # bluish green
    "#CC79A7",  # reddish purple
    "#56B4E9",  # sky blue
    "#D55E00",  # vermilion
    "#F0E442",  # yellow
    "#8C8C8C",  # grey for black, which a dark page would swallow
)
"""One colour per class, in the order of the sample's classes. Source: Okabe and Ito, "Color universal design"."""

HATCHES = (" ", "/", "\\", "x", "-", "|", ".", "+")
"""Second sign of a class, so that nothing is told by colour alone."""

RELEVANCE = tuple(interp_palette(("#2166AC", "#67A9CF", "#E8E8E8", "#EF8A62", "#B2182B"), 255))
"""Diverging, blue against the score, red for it, grey where nothing is said."""

INTENSITY = tuple(interp_palette(("#F4F4F4", "#A6D7E8", "#3B9AC6", "#15508A", "#0B1F4B", "#000000"), 255))
"""Sequential, for energies."""

NEUTRAL = "#888888"
"""Lines that are seen on a light and on a dark page."""

PICKED = "#E69F00"
"""Frame of what is picked; it is also wider than any other line."""

CHIP, ON_CHIP = "#F0F0F0", "#222222"
"""Background and letters of a text within a plot: the same on a light and on a dark page, 13:1 against one another."""


def class_colours(n: int) -> tuple[str, ...]:
    """Returns the colours of `n` classes; after eight they repeat, with the next hatch."""
    return tuple(OKABE_ITO[i % len(OKABE_ITO)] for i in range(n))


def class_hatches(n: int) -> tuple[str, ...]:
    """Returns the hatch patterns of `n` classes."""
    return tuple(HATCHES[(i + i // len(HATCHES)) % len(HATCHES)] for i in range(n))


def symmetric_limit(values: Sequence[float] | np.ndarray) -> float:
    """Returns the largest magnitude, or 1 if all values are zero: the ends of a diverging scale."""
    largest = float(np.max(np.abs(np.asarray(values, dtype=float)), initial=0.0))
    return largest if largest > 0 else 1.0
