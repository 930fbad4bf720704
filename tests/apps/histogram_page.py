"""One histogram of two classes, for the browser tests; below it is written what the hand has done."""

import numpy as np
import panel as pn

from workbench.physics.distributions import Points
from workbench.views.distributions import drawing
from workbench.widgets.histogram import Staircases
from workbench.widgets.opening import page
from workbench.widgets.panes import line, pane, say

pn.extension()
edges = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
first = {
    "QCD": Points(edges, np.array([1.0, 4.0, 2.0, 0.0]), np.array([0.5, 1.0, 0.5, 0.0])),
    "<img src=x onerror=alert(1)>": Points(edges, np.array([2.0, 2.0, 2.0, 2.0]), np.full(4, 0.1)),
}
labels = {"x": "mass [GeV]", "y": "density [1/GeV]", "unit": "GeV"}
told = line()
done: list[str] = []


def take(message):
    done.append(
        " ".join(
            f"{value:.4f}" if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
            for value in message.values()
        )
    )
    say(told, "Done: " + "; ".join(done))


picture = Staircases(
    drawn={**drawing(first, "QCD", {"QCD": first["QCD"]}, measured=True), **labels},
    marks={"span": None, "marked": 3.0, "threshold": 1.0},
    told=take,
)
page("Histogram", main=[pn.Column(pane("Mass", picture, name="mass"), told)]).servable()
