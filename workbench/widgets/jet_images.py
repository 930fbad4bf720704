"""Jets as images: each step of the preprocessing a switch; one jet, the mean of each class, or their difference."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement

from ..data.jets import Jets
from ..physics.images import STEPS, Average, Step, average, difference, jet_images, normalise, outside
from ..state.selection import SelectionState
from ..views import image as view
from .analysis import Analysis
from .errands import Errands
from .panes import line, picture, row, say

EXTENT = 0.8
"""Half the side of the frame, pseudorapidity and rad."""

MOST = 100_000
"""Jets of a class that a mean image is made of; the first of the selection."""

KEPT = 16
"""Mean images that are kept."""

JET, MEANS, DIFFERENCE = "this jet", "mean of each class", "difference"
LIMIT = 5.0
"""Standard errors at the ends of the scale of a difference."""

Means = dict[str, Average]


class JetImages(pn.viewable.Viewer):
    """The images of a selection; nothing is computed while the tab is hidden."""

    def __init__(
        self, selection: SelectionState, analysis: Analysis, errands: Errands, **parameters: Any
    ) -> None:
        super().__init__(**parameters)
        self.selection, self.analysis, self.errands = selection, analysis, errands
        self.seen = False
        self._means: OrderedDict[tuple[Any, ...], tuple[Jets, Means]] = OrderedDict()
        self.switches: dict[Step, pmui.Switch] = {
            step: pmui.Switch(label=step.__name__, value=True, size="small", margin=(0, 4)) for step in STEPS
        }
        self.shown = pmui.RadioButtonGroup(
            label="Image of", options=[JET, MEANS, DIFFERENCE], value=JET, size="small", margin=(4, 6)
        )
        self.sources = [view.empty(extent=EXTENT) for _ in range(2)]
        self.scale, self.contrast = view.intensity_scale(), view.difference_scale(LIMIT)
        names = ("image", "second image")
        self.figures = [
            view.image_figure(source, self.scale, name=name)
            for source, name in zip(self.sources, names, strict=True)
        ]
        self.differing = view.empty(extent=EXTENT)
        self.difference = view.image_figure(self.differing, self.contrast, name="difference of images")
        view.say_unit(self.difference, "standard errors")
        self.titles = [line(variant="caption") for _ in range(3)]
        self.places = [
            pn.Column(title, picture(figure), sizing_mode="stretch_width", margin=0)
            for title, figure in zip(self.titles, (*self.figures, self.difference), strict=True)
        ]
        self.told = line(variant="caption")
        self.places[1].visible = self.places[2].visible = False
        self.pictures = row(self.places, width=260, most=2)
        for widget in (*self.switches.values(), self.shown):
            widget.param.watch(self.draw, "value")
        selection.param.watch(self._on_jet, "current")
        selection.param.watch(self._on_selection, "mask")

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done to the particles before they are put into pixels, in order."""
        return tuple(step for step, switch in self.switches.items() if switch.value)

    def show(self, seen: bool) -> None:
        """Draws if it is looked at and was not before."""
        fresh, self.seen = seen and not self.seen, seen
        if fresh:
            self.draw()

    def draw(self, *events: Any) -> None:
        """Draws what is asked for."""
        jets = self.selection.sample.jets
        if not self.seen or jets is None:
            return
        # Hidden and not taken out: figures that share a scale must not leave the document one by one.
        for place, modes in zip(self.places, ((JET, MEANS), (MEANS,), (DIFFERENCE,)), strict=True):
            place.visible = self.shown.value in modes
        unit = "share of pT" if normalise in self.steps else "pT [GeV]"
        for figure in self.figures:
            view.say_unit(figure, unit)
        if self.shown.value == JET:
            self._draw_jet(jets)
        else:
            self._average(jets)

    def figure(self) -> list[UIElement]:
        """Returns the figures that are looked at."""
        return {JET: self.figures[:1], MEANS: self.figures, DIFFERENCE: [self.difference]}[self.shown.value]

    def table(self) -> pd.DataFrame:
        """Returns one row per pixel of what is looked at."""
        source = self.differing if self.shown.value == DIFFERENCE else self.sources[0]
        pixels = np.asarray(source.data["image"][0])
        centres = (np.arange(len(pixels)) + 0.5) / len(pixels) * 2 * EXTENT - EXTENT
        phi, eta = np.meshgrid(centres, centres, indexing="ij")
        return pd.DataFrame({"deta": eta.ravel(), "dphi [rad]": phi.ravel(), "value": pixels.ravel()})

    def code(self) -> list[str]:
        """Returns the lines of Python that make what is looked at."""
        steps = ", ".join(f"images.{step.__name__}" for step in self.steps)
        steps = f"({steps},)" if steps else "()"
        head = "from workbench.physics import images"
        if self.shown.value == JET:
            index = self.selection.current or 0
            return [head, f"image = images.jet_images(jets[{index}:{index + 1}], steps={steps})[0]"]
        means = [
            f"mean_{i} = images.average(jets[jets.is_class({name!r})], steps={steps})"
            for i, name in enumerate(self._pair())
        ]
        return [head, *means, "shift = images.difference(mean_0, mean_1)"]

    def _on_jet(self, *events: Any) -> None:
        if self.shown.value == JET:
            self.draw()

    def _on_selection(self, *events: Any) -> None:
        if self.shown.value != JET:
            self.draw()

    def _draw_jet(self, jets: Jets) -> None:
        current = self.selection.current
        if current is None:
            return
        jet = jets[current]
        high = 1.0 if normalise in self.steps else 1000.0
        self.scale.update(low=high * view.DECADES, high=high)
        pixels = jet_images(jet, extent=EXTENT, steps=self.steps)[0]
        self.sources[0].data = view.columns(pixels, EXTENT)
        lost = float(outside(jet, extent=EXTENT, steps=self.steps)[0])
        say(self.titles[0], f"Jet {current}")
        say(self.told, f"{lost:.1%} of the jet's pT lies outside the frame.")

    def _pair(self) -> tuple[str, ...]:
        """The two classes that are compared: those of the tagger where the sample has them, else its first two."""
        jets = self.selection.sample.jets
        known = jets.classes if jets is not None else ()
        asked = (self.analysis.signal, self.analysis.background)
        return asked if set(asked) <= set(known) else tuple(known[:2])

    def _average(self, jets: Jets) -> None:
        steps, names, mask = self.steps, self._pair(), self.selection.mask
        key = (id(jets), hash(mask.tobytes()), steps, names)
        if key in self._means:
            self._means.move_to_end(key)
            self._draw_means(self._means[key][1])
            return
        say(self.told, "The mean images are being made.")
        self.errands.send(
            "averaging the images",
            lambda: means(jets, mask, names, steps),
            lambda found: self._keep(key, jets, found),
        )

    def _keep(self, key: tuple[Any, ...], jets: Jets, found: Means) -> None:
        self._means[key] = jets, found
        while len(self._means) > KEPT:
            self._means.popitem(last=False)
        self.draw()

    def _draw_means(self, found: Means) -> None:
        names = list(found)
        shown = [found[name].mean for name in names]
        high = max((float(mean.max()) for mean in shown), default=0.0) or 1.0
        self.scale.update(low=high * view.DECADES, high=high)
        for i, source in enumerate(self.sources):
            pixels = shown[i] if i < len(shown) else np.zeros((40, 40))
            source.data = view.columns(pixels, EXTENT)
            say(self.titles[i], f"Mean of {found[names[i]].jets:,} {names[i]} jets" if i < len(names) else "")
        told = "Jets of at least two classes are needed for a difference; widen the selection."
        if len(names) == 2:
            first, second = names
            self.differing.data = view.columns(difference(found[first], found[second]), EXTENT)
            say(self.titles[2], f"{first} minus {second}, in standard errors; red: more in {first}")
            told = f"{found[first].jets:,} {first} and {found[second].jets:,} {second} jets of the selection."
        say(self.told, told)

    def __panel__(self) -> pn.viewable.Viewable:
        steps = pn.Row(*self.switches.values(), sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
        return pn.Column(steps, self.shown, self.pictures, self.told, sizing_mode="stretch_width", margin=0)


def means(jets: Jets, mask: np.ndarray, names: tuple[str, ...], steps: tuple[Step, ...]) -> Means:
    """Returns the mean image of the masked jets of each class that has any, at most `MOST` of each."""
    found = {}
    for name in names:
        chosen = np.flatnonzero(mask & jets.is_class(name))[:MOST]
        if chosen.size and jets.weight[chosen].sum() > 0:
            found[name] = average(jets[chosen], extent=EXTENT, steps=steps)
    return found
