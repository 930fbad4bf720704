"""The lines of Python that give what a pane shows, from the sample to the numbers."""

from collections.abc import Iterator

from ..errors import SelectionError
from ..physics.expressions import parse
from ..state.sample import SampleState
from ..state.selection import SelectionState

NO_SOURCE = "# This sample was made on the page and came from no file: give your own `jets` here."


def lines(
    sample: SampleState,
    selection: SelectionState | str | None,
    *drawing: str,
    beside: SelectionState | None = None,
) -> str:
    """Returns runnable Python: import, load, select, then `drawing`, in which `jets` is the selected sample.

    Imports among the lines move up to the others; `formula` of a selection is quoted, so that no text of a user or a file
    becomes code.

    Args:
        sample: What is loaded.
        selection: What is selected of it, or was when its formula was noted down; None for all.
        drawing: What follows.
        beside: Selection of a second sample, which is `second` in what follows; None for none.
    """
    second = [*chosen(beside.sample, beside), "second = jets", ""] if beside is not None else []
    before = [*second, *chosen(sample, selection)]
    # The tagger of a brushed score is there already.
    after = [line for line in drawing if not (line.startswith("tagger = ") and line in before)]
    everything = [*before, *([""] if drawing else []), *after]
    imports = [line for line in everything if line.startswith(("import ", "from "))]
    rest = [line for line in everything if line not in imports]
    return "\n".join([*dict.fromkeys(imports), "import workbench as wb", "", *rest]) + "\n"


def chosen(sample: SampleState, selection: SelectionState | str | None) -> list[str]:
    """Returns the lines that load a sample as `jets` and select of it, with the added columns that the selection needs."""
    load = [f"jets = {sample.source}" if sample.source else NO_SOURCE]
    formula = selection.formula if isinstance(selection, SelectionState) else selection or ""
    if not formula:
        return load
    return [*load, *_added(sample, formula), f"jets = wb.select(jets, {formula!r})"]


def _added(sample: SampleState, formula: str) -> Iterator[str]:
    if sample.making is None:
        return
    try:
        needed = sample.added(parse(formula).names)
    except SelectionError:
        return
    for name in needed:
        yield from sample.making(name)
        yield f"jets = jets.with_columns({name}=values)"
