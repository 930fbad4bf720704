"""Index: the pages that are served, in the order of an analysis."""

from pathlib import Path

import panel as pn

from workbench.widgets.frame import Frame
from workbench.widgets.index_page import IndexPage

pn.extension()

here = Path(__file__).parent
index = IndexPage(
    pages=[page.stem for page in here.glob("*.py")],
    lessons=[lesson.stem for lesson in (here.parent / "notebooks").glob("*.ipynb")],
)
Frame("Index", main=[index.main], tray=index.tray, share=False, plain=True, errands=index.errands).servable()
pn.state.onload(index.start)
