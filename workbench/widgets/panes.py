"""How the panes of a page look: a title that is a sentence, the picture, its check below."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

import panel as pn
import panel_material_ui as pmui
from bokeh.models import Model, UIElement

from . import theme
from .menu import Menu, drawer
from .text import safe_text


def picture(figure: UIElement) -> pn.pane.Bokeh:
    """Returns a figure as a pane that is as wide as its place."""
    return pn.pane.Bokeh(figure, sizing_mode="stretch_width", margin=0)


class Line(pn.pane.HTML):
    """Text of which nothing but the text changes.

    Panel sends the style sheets along with every new text; in a notebook these would be asked for at another host.
    """

    def _update(self, ref: str, model: Model) -> None:
        properties = self._get_properties(model.document)
        model.update(**{name: value for name, value in properties.items() if name != "stylesheets"})


def line(text: str = "", *, variant: str = "body2", **options: Any) -> pn.pane.HTML:
    """Returns one line of plain text; what looks like markup in it stays text."""
    # Not pmui's Typography: of two quick changes its browser side can send the first back, which then stays.
    styles = {**theme.LETTERS[variant], **options.pop("styles", {})}
    settings: dict[str, Any] = {"margin": (2, 6), "sizing_mode": "stretch_width", **options}
    return Line(safe_text(text), styles=styles, **settings)


def say(where: pn.pane.HTML, text: str) -> None:
    """Shows plain text in a line."""
    # Its `visible` is left alone: the browser answers a change of it with an error while the line is not drawn yet.
    where.object = safe_text(text)


def pane(
    title: str, *content: Any, name: str = "", menu: Menu | None = None, check: Any = None
) -> pmui.Paper:
    """Returns a framed pane; `name` finds it again, on the page and in tests.

    Args:
        title: A sentence or noun that says what is shown.
        content: What is shown.
        name: Of the pane, without spaces.
        menu: What can be asked of it and taken from it.
        check: The line at its foot that tells whether it can be trusted: a ledger, a count, a floor.
    """
    heading: list[Any] = [line(title, variant="subtitle2")]
    foot = [] if check is None else [check]
    if menu is not None:
        heading = [pn.Row(*heading, menu.button(title), sizing_mode="stretch_width", margin=0)]
        if menu.lesson is not None:
            why = drawer(menu.lesson)
            foot += [
                pn.pane.HTML(why, sizing_mode="stretch_width", margin=(0, 6), styles=theme.LETTERS["body2"])
            ]
    return pmui.Paper(
        *heading,
        *content,
        *foot,
        elevation=0,
        variant="outlined",
        margin=theme.GAP,
        sizing_mode="stretch_width",
        css_classes=["wb-pane", f"wb-{name}"] if name else ["wb-pane"],
        styles=theme.PANE,
    )


def served() -> bool:
    """Returns True on a page of a server, False in a cell or a script."""
    return pn.state.curdoc is not None and pn.state.curdoc.session_context is not None


def fill(place: pn.Column, content: Iterable[Any]) -> None:
    """Puts content on a page that is shown, in place of what is there."""
    # As one thing: Bokeh lays out what it has of a column while it still makes the rest of it, and fails at figures.
    place[:] = [pn.Column(*content, sizing_mode="stretch_width", margin=0)]


def fold(
    title: str, *content: Any, opened: Callable[[], None] | None = None, at_once: bool = False
) -> pmui.Accordion:
    """Returns content that is folded away until its title is clicked; `opened` is called whenever it is.

    On a served page it is sent to the browser the first time, which builds what is folded away like everything else; `at_once`
    sends it with the rest, as what is linked to it in the browser needs.
    """
    # A cell of a notebook has all that it shows from the start, see Cell.
    later = not at_once and served()
    inside = pn.Column(*(() if later else content), sizing_mode="stretch_width", margin=0)
    folded = pmui.Accordion(
        (title, inside), title_variant="body1", margin=(4, 6), sizing_mode="stretch_width"
    )

    def unfold(event: Any) -> None:
        if event.new and not len(inside):
            fill(inside, content)
        if event.new and opened is not None:
            opened()

    folded.param.watch(unfold, "active")
    return folded


def tabs(
    contents: Sequence[tuple[str, Any]], *, active: int = 0, at_once: Collection[int] = (), **options: Any
) -> pmui.Tabs:
    """Returns contents of which one is seen at a time, by their titles.

    On a served page each is sent when it is first seen; those `at_once` with the rest, as what is linked to them needs.
    """
    later = served()
    insides = [
        pn.Column(
            *(() if later and at not in {active, *at_once} else (content,)),
            sizing_mode="stretch_width",
            margin=0,
        )
        for at, (_, content) in enumerate(contents)
    ]
    titled = [(title, inside) for (title, _), inside in zip(contents, insides, strict=True)]
    made = pmui.Tabs(*titled, active=active, sizing_mode="stretch_width", **options)

    def show(event: Any) -> None:
        if not len(insides[event.new]):
            insides[event.new][:] = [contents[event.new][1]]

    made.param.watch(show, "active")
    return made


def unseen(*content: Any) -> pn.Column:
    """Returns content that is not seen until its `visible` is set; on a served page it is sent then."""
    place = pn.Column(visible=False, sizing_mode="stretch_width", margin=0)
    if not served():
        place[:] = content

    def show(event: Any) -> None:
        if event.new and not len(place):
            fill(place, content)

    place.param.watch(show, "visible")
    return place


def row(panes: Sequence[Any], *, width: int, most: int) -> pn.Column:
    """Returns panes of equal width side by side, at least `width` wide and at most so many, in as many rows as needed."""
    least = f"min(max({width}px, {100 / (most + 1) + 1:.0f}%), 100%)"
    return pn.Column(
        *panes,
        sizing_mode="stretch_width",
        margin=0,
        styles={
            "display": "grid",
            "grid-template-columns": f"repeat(auto-fit, minmax({least}, 1fr))",
            "align-items": "stretch",
            "flex": "none",
            # Panel's own sheet limits it to the height of its place, in which a narrow window has more rows than fit.
            "max-height": "none",
        },
    )
