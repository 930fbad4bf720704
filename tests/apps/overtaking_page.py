"""A page whose button changes a source of Bokeh by itself, outside of a hold."""

import panel as pn
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

pn.extension()

source = ColumnDataSource({"x": [0.0], "y": [0.0]})
plot = figure(width=200, height=200)
plot.scatter("x", "y", source=source)
said = pn.pane.HTML("before")


def move(event):
    """Moves the point."""
    source.data = {"x": [1.0], "y": [1.0]}
    said.object = "after"


pn.Column(pn.widgets.Button(name="Move", on_click=move), plot, said).servable()
