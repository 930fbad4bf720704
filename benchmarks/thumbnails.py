"""Draws the small pictures of the index page from the bundled jets and the bundled tagger.

python -m benchmarks.thumbnails [folder]    writes one SVG per card; they are drawn in the colour of the text around them
"""

import sys
from pathlib import Path

import numpy as np

import workbench as wb
from workbench.data.jets import Jets
from workbench.physics.kinematics import relative
from workbench.physics.observables import observables
from workbench.views.palette import OKABE_ITO, RELEVANCE

FOLDER = Path(__file__).parents[1] / "workbench" / "widgets" / "thumbnails"
WIDTH, HEIGHT = 320, 150
BINS = 40
TOP = 172.5
"""Mass in GeV near which a jet is looked for whose three prongs are seen."""


def svg(*parts: str) -> str:
    """Returns a picture of these parts, without words: the card beside it has them."""
    view = (
        f'viewBox="0 0 {WIDTH} {HEIGHT}" width="100%" height="{HEIGHT}" preserveAspectRatio="xMidYMid meet"'
    )
    return f'<svg xmlns="http://www.w3.org/2000/svg" {view} aria-hidden="true">{"".join(parts)}</svg>\n'


def path(x: np.ndarray, y: np.ndarray, **look: str) -> str:
    """Returns a line through points given in picture units, y downwards."""
    points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
    looks = " ".join(f'{name.replace("_", "-")}="{value}"' for name, value in look.items())
    return f'<polyline points="{points}" {looks}/>'


def distribution(jets: Jets) -> str:
    """Returns the mass of the jets by class: the first filled, the others outlined."""
    mass, parts = np.asarray(jets.p4.mass), []
    edges = np.linspace(0, 250, BINS + 1)
    counts = [np.histogram(mass[jets.is_class(name)], edges)[0] for name in jets.classes]
    top = max(count.max() for count in counts)
    for number, count in enumerate(counts):
        x = np.repeat(edges, 2) * WIDTH / 250
        y = HEIGHT - 6 - np.concatenate([[0], np.repeat(count, 2), [0]]) / top * (HEIGHT - 16)
        fill = "0.3" if number == 0 else "0.08"
        parts.append(
            path(x, y, fill=OKABE_ITO[number], fill_opacity=fill, stroke=OKABE_ITO[number], stroke_width="2")
        )
    return svg(*parts, _ground())


def jet(jets: Jets) -> str:
    """Returns the most three-pronged top jet in eta and phi: circles whose area is the transverse momentum."""
    found = observables(jets, ["tau32", "tau21", "mass"])
    near = jets.is_class("top") & (np.abs(found["mass"] - TOP) < 5) & (found["tau21"] > 0.4)
    chosen = int(np.argmin(np.where(near, found["tau32"], np.inf)))
    one = jets[chosen : chosen + 1]
    parts, p4 = [], one.p4[0]
    constituents = one.constituents[0]
    eta = np.asarray(constituents.eta) - p4.eta
    phi = np.angle(np.exp(1j * (np.asarray(constituents.phi) - p4.phi)))
    pt, middle = np.asarray(constituents.pt), (WIDTH / 2, HEIGHT / 2)
    scale = HEIGHT / 1.7
    parts.append(_cone(scale))
    for a, b, c in zip(eta, phi, pt, strict=True):
        parts.append(
            f'<circle cx="{middle[0] + a * scale:.1f}" cy="{middle[1] - b * scale:.1f}" r="{1 + 14 * np.sqrt(c / pt.max()):.1f}" '
            f'fill="{OKABE_ITO[0]}" fill-opacity="0.55" stroke="{OKABE_ITO[0]}"/>'
        )
    return svg(*parts)


def relevance(jets: Jets) -> str:
    """Returns a top jet in eta and phi, its particles in the colours of their relevance for the bundled tagger."""
    tagger = wb.open(wb.bundled("tagger"))
    top = np.flatnonzero(jets.is_class("top"))[:60]
    explained = wb.explain(tagger, jets[top], rule="gamma")
    both = [float(np.sum(np.abs(values)) - abs(np.sum(values))) for values in explained.relevance]
    best = int(np.argmax(both))
    one, values = jets[top[best] : top[best] + 1], np.asarray(explained.relevance[best])
    around, pt = relative(one)[0], np.asarray(one.constituents[0].pt)
    limit, scale = float(np.abs(values).max()), HEIGHT / 1.7
    parts = [_cone(scale)]
    for a, b, c, r in zip(np.asarray(around.deta), np.asarray(around.dphi), pt, values, strict=True):
        colour = RELEVANCE[round((r / limit + 1) / 2 * (len(RELEVANCE) - 1))]
        parts.append(
            f'<circle cx="{WIDTH / 2 + a * scale:.1f}" cy="{HEIGHT / 2 - b * scale:.1f}" '
            f'r="{1.5 + 14 * np.sqrt(c / pt.max()):.1f}" fill="{colour}" stroke="#888888" stroke-width="0.7"/>'
        )
    return svg(*parts)


def _cone(scale: float) -> str:
    return (
        f'<circle cx="{WIDTH / 2}" cy="{HEIGHT / 2}" r="{0.8 * scale:.1f}" fill="none" stroke="currentColor" '
        'stroke-opacity="0.5" stroke-dasharray="3 4"/>'
    )


def curves(jets: Jets) -> str:
    """Returns the rejection of the bundled tagger, of tau32 and of the mass, against the signal efficiency."""
    tagger = wb.open(wb.bundled("tagger"))
    found = observables(jets, ["tau32", "mass"])
    top = jets.is_class("top")
    kept = {
        "": np.asarray(tagger.score(jets))[:, -1],
        "6 4": -np.nan_to_num(found["tau32"], nan=1.0),
        "2 4": -np.abs(found["mass"] - TOP),
    }
    parts, signal = [], np.linspace(0.15, 1, 60)
    for number, (dash, values) in enumerate(kept.items()):
        cut = np.quantile(values[top], 1 - signal)
        mistag = np.array([np.mean(values[~top] >= at) for at in cut])
        rejection = np.log10(1 / np.maximum(mistag, 1 / (2 * np.sum(~top))))
        y = HEIGHT - 8 - rejection / 3.4 * (HEIGHT - 16)
        x = (signal - 0.15) / 0.85 * WIDTH
        parts.append(
            path(x, y, fill="none", stroke=OKABE_ITO[number], stroke_width="2.5", stroke_dasharray=dash)
        )
    return svg(*parts, _ground())


def _ground() -> str:
    y = HEIGHT - 5
    return f'<line x1="0" y1="{y}" x2="{WIDTH}" y2="{y}" stroke="currentColor" stroke-opacity="0.5"/>'


def main(folder: Path) -> None:
    """Writes one file per card."""
    folder.mkdir(parents=True, exist_ok=True)
    jets = wb.load(wb.bundled("jets"))
    drawings = (("jets", distribution), ("display", jet), ("relevance", relevance), ("runs", curves))
    for name, drawn in drawings:
        (folder / f"{name}.svg").write_text(drawn(jets))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
