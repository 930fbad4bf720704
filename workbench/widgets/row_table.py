"""A long table that scrolls, of whose rows one is open; the browser draws only those in view."""

from collections.abc import Mapping

import pandas as pd
import panel as pn
from bokeh.models.widgets.tables import NumberFormatter, StringFormatter


def row_table(rows: pd.DataFrame, formats: Mapping[str, str], height: int) -> pn.widgets.Tabulator:
    """Returns the table.

    Args:
        rows: What it shows; the columns stay the same, since the browser's table cannot take new ones before it is drawn.
        formats: How the numbers of a column are written; "" for text, which is escaped, also where there are no rows that
            tell it from numbers.
        height: In screen units.
    """
    return pn.widgets.Tabulator(
        rows,
        show_index=False,
        disabled=True,
        height=height,
        pagination=None,
        selectable=1,
        sizing_mode="stretch_width",
        layout="fit_data_fill",
        theme_classes=["table-sm"],
        configuration={"columnDefaults": {"headerSort": False}},
        formatters={
            name: NumberFormatter(format=form) if form else StringFormatter()
            for name, form in formats.items()
        },
        stylesheets=[":host .tabulator { font-size: 12px; }"],
    )
