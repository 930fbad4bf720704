"""The distribution of one observable, by class, with a ratio below: to a reference class, or of a second sample to the first."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..physics.distributions import Points, ratio
from .palette import NEUTRAL, OKABE_ITO, class_colours, class_hatches

THRESHOLD = OKABE_ITO[5]
"""Line of the working point."""

Densities = Mapping[str, Points]
"""Per class its normalised density in 1/unit, all with the same edges."""

FLOOR = 1e-9
"""Foot of a logarithmic axis on which there is nothing to draw."""

MARKERS = ("circle", "square", "triangle", "diamond", "inverted_triangle", "star", "plus", "cross")
"""One sign per class for the points of a second sample."""

SMALLEST_SPAN, LARGEST_SPAN = 1.5, 1e4
"""The axis of the ratio reaches at least from 1 over the first number to it, at most from 1 over the second."""

NEAR_ONE = (0.2, 0.5, 1.0, 2.0, 5.0)
"""Ticks of a ratio that stays near one."""

TENS = (0.1, 1.0, 10.0)
"""Ticks of one that does not."""

DECADES = (1e-4, 1e-2, 1.0, 1e2, 1e4)
"""Ticks of the ratio: every second power of ten, so that they do not run into one another."""

DIGITS = 7
"""Of the numbers that are sent to be drawn: finer than a screen, shorter on the wire."""


def drawing(
    densities: Densities,
    reference: str,
    second: Densities | None = None,
    *,
    measured: bool = False,
    whole: Points | None = None,
    logarithmic: bool = False,
    bins: tuple[int, float, float] = (1, 0.0, 1.0),
) -> dict[str, Any]:
    """Returns what `histogram.js` draws: plain numbers, texts and lists.

    Below the densities are their ratios to the class `reference`; with a `second` sample those of the second to the first. It
    is drawn as points where it is `measured` data, else as dashed outlines. `whole` is the density of all jets of the first. `bins`,
    a number and the ends of the axis, are drawn where there is no density.

    Keys: "edges" (units of the observable); "classes" and "second", one per class with "name", "colour", "hatch" or "marker",
    and per bin "value" and "error" (1/unit); "ratio", one per class with "colour" and per bin that has one "centre", "ratio",
    "low", "high"; "span" and "ticks" of the ratio's axis; "low" and "high" of that of the densities.
    """
    there = second or {}
    over = second_ratios(densities, there, whole) if there else ratios(densities, reference)
    span = ratio_span(over)
    low, high = logarithmic_range(densities, there) if logarithmic else linear_range(densities, there)
    number, start, stop = bins
    edges = next((p.edges for p in {**densities, **there}.values()), np.linspace(start, stop, number + 1))
    looks = zip(densities.items(), class_colours(len(densities)), class_hatches(len(densities)), strict=True)
    return {
        "edges": edges.tolist(),
        "classes": [
            {**_drawn(name, points), "colour": colour, "hatch": hatch}
            for (name, points), colour, hatch in looks
        ],
        "second": [
            {**_drawn(name, there[name]), "colour": colour, "marker": marker}
            for name, colour, marker in _styles(densities, there)
        ],
        "ratio": [
            {
                **{name: _short(rows[name]) for name in ("ratio", "low", "high")},
                "centre": rows["centre"].tolist(),
                "colour": rows["colour"],
            }
            for rows in over
        ],
        "measured": measured,
        "logarithmic": logarithmic,
        "low": low,
        "high": high,
        "span": span,
        "ticks": list(ratio_ticks(span)),
        "ratio_label": "2nd / 1st" if there else f"/ {reference}" if reference else "ratio",
        "ink": {"neutral": NEUTRAL, "threshold": THRESHOLD},
    }


def ratios(densities: Densities, reference: str) -> list[dict[str, Any]]:
    """Returns each class over `reference` in the bins where both are positive: "centre", "ratio", "low", "high", "colour".

    The lower end stays above a tenth of the ratio, because the axis is logarithmic.
    """
    below = densities.get(reference)
    colours = zip(densities, class_colours(len(densities)), strict=True)
    return [
        _ratio(densities[name], below, colour)
        for name, colour in colours
        if below is not None and name != reference
    ]


def second_ratios(
    densities: Densities, second: Densities, whole: Points | None = None
) -> list[dict[str, Any]]:
    """Returns the second sample over the first for each class that both have, as `ratios` does.

    A class that the first lacks (data have none) stands over `whole`, all jets of the first, if it is given.
    """
    found = [(name, densities.get(name, whole), colour) for name, colour, _ in _styles(densities, second)]
    return [_ratio(second[name], below, colour) for name, below, colour in found if below is not None]


def _styles(densities: Densities, second: Densities) -> list[tuple[str, str, str]]:
    """Returns name, colour and marker per class of the second sample; those the first lacks come after its own."""
    names = [*densities, *(name for name in second if name not in densities)]
    colours = class_colours(len(names))
    return [(name, colours[i], MARKERS[i % len(MARKERS)]) for i, name in enumerate(names) if name in second]


def _ratio(above: Points, below: Points, colour: str) -> dict[str, Any]:
    over = ratio(above, below)
    shown = np.isfinite(over.value) & (over.value > 0)
    value, error = over.value[shown], over.error[shown]
    return {
        "colour": colour,
        "centre": ((over.edges[:-1] + over.edges[1:]) / 2)[shown],
        "ratio": value,
        "low": np.maximum(value - error, value / 10),
        "high": value + error,
    }


def _drawn(name: str, points: Points) -> dict[str, Any]:
    return {"name": name, "value": _short(points.value), "error": _short(points.error)}


def _short(values: np.ndarray) -> list[float | None]:
    return [float(f"{value:.{DIGITS}g}") if np.isfinite(value) else None for value in values]


def ratio_span(found: Sequence[Mapping[str, Any]]) -> float:
    """Returns the upper end of the axis of these `ratios`; the lower one is 1 over it."""
    values = np.concatenate([np.ones(1), *(rows["ratio"] for rows in found)])
    largest = float(np.max(np.maximum(values, 1 / values))) * 1.2
    return min(max(largest, SMALLEST_SPAN), LARGEST_SPAN)


def ratio_ticks(span: float) -> tuple[float, ...]:
    """Returns the ticks of a ratio's axis that reaches from 1 / span to span."""
    ticks = NEAR_ONE if span < 10 else TENS if span < 100 else DECADES
    return tuple(tick for tick in ticks if 1 / span <= tick <= span)


def linear_range(*samples: Densities) -> tuple[float, float]:
    """Returns the ends of a linear axis: zero, and a little above the highest density with its error."""
    tops = [p.value + p.error for densities in samples for p in densities.values()]
    finite = np.concatenate([np.zeros(1), *(top[np.isfinite(top)] for top in tops)])
    return 0.0, 1.05 * float(finite.max()) or 1.0


def logarithmic_range(*samples: Densities) -> tuple[float, float]:
    """Returns the ends of a logarithmic axis: a third of the smallest positive density, three times the largest."""
    values = np.concatenate([np.zeros(0), *(p.value for densities in samples for p in densities.values())])
    positive = values[(values > 0) & np.isfinite(values)]
    return (float(positive.min()) / 3, float(positive.max()) * 3) if positive.size else (FLOOR, 1.0)
