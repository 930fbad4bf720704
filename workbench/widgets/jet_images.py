"""Jets as images: each step of the preprocessing a switch; one jet, means of classes or of two samples, their difference."""

from collections import OrderedDict
from typing import Any

import numpy as np
import pandas as pd
import panel as pn
import panel_material_ui as pmui
from bokeh.models import UIElement

from ..data.jets import Jets
from ..physics.distributions import UNLABELLED
from ..physics.images import STEPS, Average, Step, average, difference, jet_images, normalise, outside
from ..state.binned import ALL
from ..state.comparison import ComparisonState
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
SAMPLES = "both samples"
SHOWN = ((JET, MEANS, SAMPLES), (MEANS, SAMPLES), (DIFFERENCE, SAMPLES))
"""For what each of the three pictures is seen."""
LIMIT = 5.0
"""Standard errors at the ends of the scale of a difference."""

Means = dict[str, Average]
Chosen = dict[str, tuple[Jets, np.ndarray]]
"""Jets and a mask of them, by what a mean of them is called."""


class JetImages(pn.viewable.Viewer):
    """The images of a selection; nothing is computed while the tab is hidden."""

    def __init__(
        self,
        selection: SelectionState,
        analysis: Analysis,
        errands: Errands,
        comparison: ComparisonState | None = None,
        **parameters: Any,
    ) -> None:
        super().__init__(**parameters)
        self.selection, self.analysis, self.errands = selection, analysis, errands
        self.comparison = comparison or ComparisonState(selection)
        self.seen = False
        self._means: OrderedDict[tuple[Any, ...], tuple[Any, Means]] = OrderedDict()
        self.switches: dict[Step, pmui.Switch] = {
            step: pmui.Switch(label=step.__name__, value=True, size="small", margin=(0, 4)) for step in STEPS
        }
        self.shown = pmui.RadioButtonGroup(
            label="Image of", options=[JET, MEANS, DIFFERENCE], value=JET, size="small", margin=(4, 6)
        )
        self.of = pmui.Select(
            label="Class of both samples", options=[], size="small", width=230, visible=False
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
        for widget in (*self.switches.values(), self.shown, self.of):
            widget.param.watch(self.draw, "value")
        selection.param.watch(self._on_jet, "current")
        selection.param.watch(self._on_selection, "mask")
        self.comparison.param.watch(self._on_second, "reference")
        self.comparison.param.watch(self._on_beside, "beside")
        self._on_second()

    @property
    def steps(self) -> tuple[Step, ...]:
        """What is done to the particles before they are put into pixels, in order."""
        return tuple(step for step, switch in self.switches.items() if switch.value)

    def show(self, seen: bool) -> None:
        """Draws if it is looked at and was not before."""
        fresh, self.seen = seen and not self.seen, seen
        if fresh:
            self.draw()

    @pn.io.hold()
    def draw(self, *events: Any) -> None:
        """Draws what is asked for."""
        jets = self.selection.sample.jets
        if not self.seen or jets is None:
            return
        # Hidden and not taken out: figures that share a scale must not leave the document one by one.
        for place, modes in zip(self.places, SHOWN, strict=True):
            place.visible = self.shown.value in modes
        self.of.visible = self.shown.value == SAMPLES
        unit = "share of pT" if normalise in self.steps else "pT [GeV]"
        for figure in self.figures:
            view.say_unit(figure, unit)
        if self.shown.value == JET:
            self._draw_jet(jets)
        else:
            self._average(jets)

    def figure(self) -> list[UIElement]:
        """Returns the figures that are looked at."""
        drawn = [*self.figures, self.difference]
        return [plot for plot, modes in zip(drawn, SHOWN, strict=True) if self.shown.value in modes]

    def table(self) -> pd.DataFrame:
        """Returns one row per pixel of each image that is looked at."""
        drawn, parts = ("first", "second", "difference [standard errors]"), []
        for name, source, modes in zip(drawn, (*self.sources, self.differing), SHOWN, strict=True):
            if self.shown.value in modes:
                pixels = np.asarray(source.data["image"][0])
                centres = (np.arange(len(pixels)) + 0.5) / len(pixels) * 2 * EXTENT - EXTENT
                phi, eta = np.meshgrid(centres, centres, indexing="ij")
                parts.append(
                    pd.DataFrame(
                        {
                            "image": name,
                            "deta": eta.ravel(),
                            "dphi [rad]": phi.ravel(),
                            "value": pixels.ravel(),
                        }
                    )
                )
        return pd.concat(parts, ignore_index=True)

    @property
    def beside(self) -> SelectionState | None:
        """Selection of the second sample where it is looked at too."""
        return self.comparison.beside if self.shown.value == SAMPLES else None

    def code(self) -> list[str]:
        """Returns the lines of Python that make what is looked at, of `jets` and, where there is one, `second`."""
        steps = ", ".join(f"images.{step.__name__}" for step in self.steps)
        steps = f"({steps},)" if steps else "()"
        head = "from workbench.physics import images"
        if self.shown.value == JET:
            index = self.selection.current or 0
            return [head, f"image = images.jet_images(jets[{index}:{index + 1}], steps={steps})[0]"]
        if self.shown.value == SAMPLES:
            return [head, *self._code_of_samples(steps)]
        means = [
            f"mean_{i} = images.average(jets[jets.is_class({name!r})], steps={steps})"
            for i, name in enumerate(self._pair())
        ]
        return [head, *means, "shift = images.difference(mean_0, mean_1)"]

    def _code_of_samples(self, steps: str) -> list[str]:
        parts = zip(("jets", "second"), self._classes(), strict=True)
        of = [f"{x}[{x}.is_class({name!r})]" if name != ALL else x for x, name in parts]
        return [
            *(f"mean_{i} = images.average({x}, steps={steps})" for i, x in enumerate(of)),
            "shift = images.difference(mean_0, mean_1)",
        ]

    def _on_second(self, *events: Any) -> None:
        """Offers both samples while there are two."""
        there = self.comparison.reference is not None
        options = [JET, MEANS, DIFFERENCE, *([SAMPLES] if there else [])]
        if self.shown.value not in options:
            self.shown.value = JET
        self.shown.options = options

    def _on_beside(self, *events: Any) -> None:
        pairs = [name for name in self.comparison.pairs if name != UNLABELLED]
        if self.of.options != pairs:
            wanted = self.analysis.signal if self.analysis.signal in pairs else next(reversed(pairs), None)
            self.of.param.update(options=pairs, value=self.of.value if self.of.value in pairs else wanted)
        if self.shown.value == SAMPLES:
            self.draw()

    def _classes(self) -> tuple[str, str]:
        """The class of the first sample that is looked at, and the class of the second that it meets."""
        name = self.of.value or ALL
        return name, self.comparison.pairs.get(name, ALL)

    def _on_jet(self, *events: Any) -> None:
        if self.shown.value == JET:
            self.draw()

    def _on_selection(self, *events: Any) -> None:
        # A second sample follows the selection first, and what it triggers then draws both.
        if self.shown.value in (MEANS, DIFFERENCE):
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

    def _chosen(self, jets: Jets) -> Chosen:
        """The jets that means are made of: of two classes, or of one class of two samples."""
        mask, reference, beside = self.selection.mask, self.comparison.reference, self.comparison.beside
        if self.shown.value != SAMPLES:
            return {name: (jets, mask & jets.is_class(name)) for name in self._pair()}
        if reference is None or reference.jets is None or beside is None:
            return {}
        second, (mine, other) = reference.jets, self._classes()
        return {
            f"{mine}, first sample": (jets, mask & jets.is_class(mine) if mine != ALL else mask),
            f"{other}, second sample": (
                second,
                beside.mask & second.is_class(other) if other != ALL else beside.mask,
            ),
        }

    def _average(self, jets: Jets) -> None:
        steps, chosen = self.steps, self._chosen(jets)
        key = steps, tuple((name, id(of), hash(mask.tobytes())) for name, (of, mask) in chosen.items())
        if key in self._means:
            self._means.move_to_end(key)
            self._draw_means(self._means[key][1])
            return
        say(self.told, "The mean images are being made.")
        self.errands.send(
            "averaging the images",
            lambda: means(chosen, steps),
            lambda found: self._keep(key, [of for of, _ in chosen.values()], found),
        )

    def _keep(self, key: tuple[Any, ...], jets: list[Jets], found: Means) -> None:
        # The jets are held too, so that no others can take their place in the key.
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
            say(
                self.titles[i], f"Mean of {found[names[i]].jets:,} jets: {names[i]}" if i < len(names) else ""
            )
        what = "of both samples" if self.shown.value == SAMPLES else "of at least two classes"
        told = f"Jets {what} are needed for a difference; widen the selection."
        if len(names) == 2:
            first, second = names
            self.differing.data = view.columns(difference(found[first], found[second]), EXTENT)
            say(self.titles[2], f"{first} minus {second}, in standard errors; red: more in {first}")
            told = f"Selected jets: {found[first].jets:,} ({first}) and {found[second].jets:,} ({second})."
        say(self.told, told)

    def __panel__(self) -> pn.viewable.Viewable:
        steps = pn.Row(*self.switches.values(), sizing_mode="stretch_width", styles={"flex-wrap": "wrap"})
        return pn.Column(
            steps, self.shown, self.of, self.pictures, self.told, sizing_mode="stretch_width", margin=0
        )


def means(chosen: Chosen, steps: tuple[Step, ...]) -> Means:
    """Returns the mean image of each lot of masked jets that has any, of at most `MOST` of them."""
    found = {}
    for name, (jets, mask) in chosen.items():
        rows = np.flatnonzero(mask)[:MOST]
        if rows.size and jets.weight[rows].sum() > 0:
            found[name] = average(jets[rows], extent=EXTENT, steps=steps)
    return found
