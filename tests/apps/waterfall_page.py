"""A ledger below a figure, and the menu that saves both, for the browser tests."""

import numpy as np
import panel as pn
from bokeh.plotting import figure

from workbench.data.explanation import Ledger
from workbench.widgets.menu import Menu
from workbench.widgets.opening import page
from workbench.widgets.panes import pane, picture
from workbench.widgets.waterfall import Waterfall

pn.extension()
LINES = {"inputs": 2.0, "<b>biases</b>": -0.5, "absorbed by epsilon": 0.25}
above, books = figure(height=120, sizing_mode="stretch_width", name="above"), Waterfall()
above.line([0, 1], [0, 1])
books.show(Ledger(np.array([1.75]), {name: np.array([amount]) for name, amount in LINES.items()}))
menu = Menu("ledger", figure=lambda: [above, books])
page("Ledger", main=[pn.Column(pane("Ledger", picture(above), books, name="ledger", menu=menu))]).servable()
