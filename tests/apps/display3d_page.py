"""A page with the 3D display alone, for the browser tests."""

import numpy as np
import panel as pn

from workbench.views.event import Scene
from workbench.widgets.display3d import Display3D

pn.extension()


def turned(n: int) -> Scene:
    """A scene of n charged hadrons around the beam, with 1, 2, 3, … GeV, and one tower."""
    rows = [[1.0 + i, 0.3, 2 * np.pi * i / n, 1, 0, 0, 0, 0, np.nan, -1] for i in range(n)]
    header = {
        "title": "Event 0 of 1",
        "caption": "planted, simulation",
        "units": {"energy": "GeV", "length": "m"},
        "field": 3.8,
        "missing": ["charge: planted"],
        "detector": "none",
        "radius": None,
        "met": [20.0, 1.0],
    }
    arrays = {"particles": rows, "towers": [[10.0, 0.0, 1.0, 0.1, 0.1, 0]]}
    return Scene(header, {name: np.array(x, dtype=np.float32) for name, x in arrays.items()})


display = Display3D(pt_min=0, preset_view="x-y", height=500)
display.show(turned(8))
told = pn.pane.Markdown("Python knows of -1")
display.param.watch(lambda event: setattr(told, "object", f"Python knows of {event.new}"), "picked")
pick = pn.widgets.Button(label="Pick the third")
pick.on_click(lambda event: display.param.update(picked=2))
save = pn.widgets.Button(label="Save")
save.on_click(lambda event: display.save_png(2))
more = pn.widgets.Button(label="Another")
more.on_click(lambda event: display.show(turned(5)))
pn.Column(pn.Row(pick, save, more), told, display, sizing_mode="stretch_width").servable()
