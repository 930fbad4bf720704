"""Two panes with a figure each, for the browser tests; the button makes the labels of the first grow.

`?alone=no` is Panel's own way, `?styles=ours` that of a page on which nobody else styles a figure.
"""

import panel as pn
import panel_material_ui as pmui
from bokeh.models import Range1d

from workbench.views.frame import frame
from workbench.widgets.latency import hasten
from workbench.widgets.layout import Layout
from workbench.widgets.opening import page
from workbench.widgets.panes import pane, picture, row

pn.extension()
hasten()
figures = []
for name in ("first", "second"):
    figure = frame("pT [GeV]", "jets", name=name, height=300)
    figure.x_range, figure.y_range = Range1d(0, 1), Range1d(0, 1)
    figure.line([0, 1], [0, 1])
    figures.append(figure)


@pn.io.hold()
def lengthen(event):
    """Makes the labels of the first figure longer."""
    figures[0].y_range.update(end=figures[0].y_range.end * 1000)


grow = pmui.Button(label="Grow", on_click=lengthen)
asked = pn.state.session_args or {}
layout = [] if "alone" in asked else [Layout(own_page="styles" in asked)]
panes = row([pane(f.name, picture(f), name=f.name) for f in figures], width=300, most=2)
page("Layout", main=[pn.Column(grow, panes, *layout)]).servable()
