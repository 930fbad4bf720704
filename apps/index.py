"""Index: the pages that are served, in the order of an analysis."""

from pathlib import Path

import panel as pn

from workbench.widgets.opening import serve

pn.extension()

here = Path(__file__).parent
serve(
    "Index",
    "IndexPage",
    pages=[page.stem for page in here.glob("*.py")],
    lessons=[lesson.stem for lesson in (here.parent / "notebooks").glob("*.ipynb")],
)
