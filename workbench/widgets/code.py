"""The lines of Python that give what a pane shows, from the sample to the numbers."""

from ..state.sample import SampleState
from ..state.selection import SelectionState

NO_SOURCE = "# This sample was made on the page and came from no file: give your own `jets` here."


def lines(sample: SampleState, selection: SelectionState | None, *drawing: str) -> str:
    """Returns runnable Python: import, load, select, then `drawing`, in which `jets` is the selected sample.

    Imports among the drawing lines move up to the others; `formula` of the selection is quoted, so that no text of a
    user or a file becomes code.
    """
    imports = [line for line in drawing if line.startswith(("import ", "from "))]
    rest = [line for line in drawing if line not in imports]
    load = f"jets = {sample.source}" if sample.source else NO_SOURCE
    formula = selection.formula if selection is not None else ""
    chosen = [f"jets = wb.select(jets, {formula!r})"] if formula else []
    head = [*dict.fromkeys(imports), "import workbench as wb"]
    return "\n".join([*head, "", load, *chosen, *([""] if rest else []), *rest]) + "\n"
