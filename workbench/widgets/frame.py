"""The frame that all pages share: the header with its chips, the steps on the left, the panes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import panel as pn
import panel_material_ui as pmui
import param
from panel.custom import JSComponent

from ..data.jets import Jets
from ..physics.roc import Roc
from ..state.sample import SampleState, outline
from ..state.teaching import Teaching
from . import theme
from .analysis import Analysis
from .connection import Connection
from .errands import Errands
from .export import Delivery
from .keys import KEYS, SIGNS, Keys
from .layout import Layout
from .opening import page
from .panes import line, say
from .text import with_error

ON_HEADER = {
    "color": theme.LIGHT.on_header,
    "minWidth": 0,
    "fontSize": 13,
    "fontWeight": 400,
    "padding": "3px 8px",
    "&:hover": {"backgroundColor": "rgba(255,255,255,0.12)"},
    "&.Mui-focusVisible": {"outline": "2px solid currentColor", "outlineOffset": "-2px"},
}
CHIP = {
    **ON_HEADER,
    "border": "1px solid rgba(255,255,255,0.35)",
    "borderRadius": "14px",
    "display": "block",
    "width": "100%",
    "overflow": "hidden",
    "textOverflow": "ellipsis",
    "whiteSpace": "nowrap",
}
CARD = {"white-space": "pre-wrap", "overflow-wrap": "anywhere", "font-family": "monospace"}
KINDS = {"simulation": "simulation", "data": "data"}
IDENTIFYING = "identifying the sample"
UNSTATED = "origin not stated"


class Browser(JSComponent):
    """What only the browser knows or can do: it remembers the theme, and opens the "Why?" of every pane."""

    teaching: bool = param.Boolean(False, doc="Panes explain themselves.")
    rail: bool = param.Boolean(False, doc="The closed drawer leaves its steps at the edge.")

    _esm = Path(__file__).parent / "browser.js"


class Chip(pn.viewable.Viewer):
    """A button in the header that says what is looked at; a click shows a card with the rest."""

    def __init__(self, title: str, text: Callable[[], str], card: Callable[[], str]) -> None:
        super().__init__()
        self.title, self.text, self.card = title, text, card
        self.button = pmui.Button(
            label=text(), variant="text", size="small", margin=0, sx=CHIP, sizing_mode="stretch_width"
        )
        self.place = pn.Column(margin=0, width=0, height=0, styles={"position": "absolute"})
        self.body = line("", styles=CARD)
        self.button.on_click(self.open)

    def renew(self, *events: Any) -> None:
        """Says anew what is looked at."""
        self.button.label = self.text()

    def open(self, *events: Any) -> None:
        """Shows the card."""
        say(self.body, self.card())
        if not len(self.place):
            self.place.append(_dialog(self.title, self.body))
        self.place[0].open = True

    def __panel__(self) -> pn.viewable.Viewable:
        styles = {"flex": "0 1 auto", "width": "max-content", "min-width": "60px", "max-width": "400px"}
        return pn.Row(self.button, self.place, margin=(0, 4), align="center", styles=styles)


class SampleChip(Chip):
    """Says the sample: its name, number of jets, simulation or data; the card has its provenance."""

    def __init__(self, sample: SampleState, errands: Errands) -> None:
        self.sample, self.errands = sample, errands
        self._known: tuple[Jets, str] | None = None
        super().__init__("Where this sample came from", self._text, self._card)
        sample.param.watch(self.renew, ["jets", "name"])

    def _text(self) -> str:
        jets = self.sample.jets
        if jets is None:
            return "No sample yet"
        kind = KINDS.get(jets.origin.kind, UNSTATED)
        return f"{self.sample.name} · {len(jets):,} jets · {kind}"

    def _card(self) -> str:
        jets = self.sample.jets
        if jets is None:
            return "Choose a sample in step 1."
        chosen = f"\nShown are those with {self.sample.expression}" if self.sample.expression else ""
        return f"{self.sample.provenance}\nFingerprint {self._fingerprint(jets)}{chosen}"

    def _fingerprint(self, jets: Jets) -> str:
        """Returns it once it is known: of many jets it takes seconds, in which the page must not stand still."""
        if self._known is None or self._known[0] is not jets:
            self.errands.send(IDENTIFYING, lambda: (jets, jets.fingerprint), self._identified)
            return "…"
        return self._known[1]

    def _identified(self, known: tuple[Jets, str]) -> None:
        self._known = known
        if known[0] is self.sample.jets:
            say(self.body, self._card())


class RunChip(Chip):
    """Says the fitted network: its name, seed and area under the ROC curve; the card has how it was trained.

    Args:
        analysis: What the page looks at.
        curve: Gives the measured ROC curve once there is one.
    """

    def __init__(self, analysis: Analysis, curve: Callable[[], Roc | None] = lambda: None) -> None:
        self.analysis, self.curve = analysis, curve
        super().__init__("How this network was trained", self._text, self._card)
        analysis.param.watch(self.renew, ["fitted", "title", "scores", "cut"])

    def _text(self) -> str:
        fitted, curve = self.analysis.fitted, self.curve()
        if fitted is None:
            return "No network yet"
        seed = f", seed {fitted.seed}" if "seed" not in self.analysis.title else ""
        known = curve is not None and self.analysis.scores is not None
        area = f" · AUC {with_error(curve.auc, curve.auc_error)}" if curve is not None and known else ""
        return f"{self.analysis.title}{seed}{area}"

    def _card(self) -> str:
        fitted = self.analysis.fitted
        if fitted is None:
            return "Choose or train a network on the left, or wait until the bundled one is there."
        said = {
            "network": fitted.engine.network,
            "classes": list(fitted.classes),
            "parameters": f"{fitted.parameters:,}",
            "seed": fitted.seed,
            "ended": fitted.outcome.value,
            **getattr(fitted, "card", {}),
        }
        return "\n".join([self._text(), *outline(said)])


class Frame:
    """What one page of one session shows: give it the panes and the steps; `opening.serve` puts it onto a page.

    Args:
        main: The panes.
        sidebar: The numbered steps; empty for a page without.
        sample_chip: Says which sample is looked at, see `SampleChip`.
        run_chip: Says which fitted network is looked at, see `RunChip`.
        tray: The running and finished jobs.
        share: True offers to copy the address.
        teaching: State of the teaching switch; None makes one.
        errands: Of the session; what they do is said in the header and by the bar on top, while the old picture stays.
        header: What else stands in the header.
        plain: True for a page without keys and lessons.
        steps: Short names of the numbered steps; they stand at the left edge while the drawer is closed, and open it.
    """

    def __init__(
        self,
        *,
        main: Sequence[Any],
        sidebar: Sequence[Any] = (),
        sample_chip: Any = None,
        run_chip: Any = None,
        tray: Any = None,
        share: bool = True,
        teaching: Teaching | None = None,
        errands: Errands | None = None,
        header: Sequence[Any] = (),
        plain: bool = False,
        steps: Sequence[str] = (),
    ) -> None:
        self.errands = errands
        self.teaching = Teaching() if teaching is None else teaching
        self.keys, self.delivery = Keys(), Delivery()
        self.doing = line("", variant="caption", align="center", styles=_DOING)
        self.bar = pmui.LinearProgress(variant="indeterminate", sx=_IDLE, **_BAR)
        chips = [chip for chip in (sample_chip, run_chip, tray, *header) if chip is not None]
        self.main = [self.bar, *([self._rail(steps)] if steps else []), *main]
        self.sidebar = list(sidebar)
        self.header = self._header(chips, share, plain)
        self.page: Any = None
        self.browser.rail = bool(steps)
        self._bind()

    def on_page(self, title: str) -> Any:
        """Returns all of it on a page of this name."""
        look: dict[str, Any] = {
            "variant": "h6",
            "align": "center",
            "margin": (0, 10, 0, 14),
            "styles": _TITLE,
        }
        self.header.insert(0, line(title, sizing_mode=None, **look))
        self.page = page(title, main=self.main, sidebar=self.sidebar, header=[self.header])
        return self.page

    def help(self, *events: Any) -> None:
        """Shows what the keys do."""
        if self.keys_card not in self.delivery.place:
            self.delivery.place.append(self.keys_card)
        self.keys_card.open = True

    def _header(self, chips: Sequence[Any], share: bool, plain: bool) -> pn.viewable.Viewable:
        self.share = _button("Share")
        self.help_button = _button("Keys")
        self.switch = pmui.Switch(label="Teaching", size="small", value=self.teaching.on, **_SWITCH)
        self.reveal = _button("Reveal the truth", visible=False)
        self.browser = Browser(width=0, height=0, margin=0)
        rows = [f"{SIGNS.get(key, key)}   {what}" for key, what in KEYS.items()]
        self.keys_card = _dialog("Keys", line("\n".join(rows), styles=CARD))
        return pn.Row(
            *chips,
            self.doing,
            *([self.share] if share else []),
            *([] if plain else [self.help_button, self.switch, self.reveal]),
            pn.Row(
                self.browser,
                Connection(),
                Layout(own_page=True),
                self.keys,
                self.delivery.place,
                width=0,
                height=0,
                margin=0,
            ),
            margin=0,
            sizing_mode="stretch_width",
            styles={"color": theme.LIGHT.on_header, "min-width": "0", "flex-wrap": "nowrap"},
        )

    def _rail(self, steps: Sequence[str]) -> pn.viewable.Viewable:
        """Returns what stands in place of the closed drawer: its steps, each a button that opens it."""
        buttons = [
            pmui.Button(label=f"{number} {name}", variant="text", size="small", margin=(4, 2), sx=_STEP)
            for number, name in enumerate(steps, 1)
        ]
        for button in buttons:
            button.on_click(lambda _: self.page.param.update(sidebar_open=True))
        return pn.Column(*buttons, width=RAIL, margin=0, styles=_RAIL, css_classes=["wb-rail"])

    def _bind(self) -> None:
        self.share.on_click(self._share)
        self.help_button.on_click(self.help)
        self.keys.param.watch(lambda event: self.help() if self.keys.key == "?" else None, "pressed")
        self.switch.param.watch(lambda event: self.teaching.param.update(on=event.new), "value")
        self.reveal.on_click(lambda _: self.teaching.param.update(revealed=not self.teaching.revealed))
        self.teaching.param.watch(self._teach, ["on", "revealed"])
        self._teach()
        if self.errands is not None:
            self.errands.param.watch(self._say, "doing")

    def _share(self, *events: Any) -> None:
        self.delivery.ask("copy")
        self.share.label = "Copied"

    def _teach(self, *events: Any) -> None:
        on, revealed = self.teaching.on, self.teaching.revealed
        self.browser.teaching = self.switch.value = on
        self.reveal.param.update(visible=on, label="Hide the truth" if revealed else "Reveal the truth")

    def _say(self, *events: Any) -> None:
        assert self.errands is not None
        # Not `visible`, with which the browser lays out the whole page.
        self.bar.sx = {} if self.errands.doing else _IDLE
        say(self.doing, self.errands.doing)


RAIL = 64
"""Width of the closed drawer in screen units."""

# The browser sets these two properties on the root of the page, as the drawer opens and closes.
_RAIL = {
    "display": "var(--wb-rail, none)",
    "position": "fixed",
    "left": "0",
    "top": f"{theme.HEADER + 6}px",
    "z-index": "3",
}
_STEP = {
    "minWidth": 0,
    "width": RAIL - 4,
    "whiteSpace": "normal",
    "textTransform": "none",
    "fontSize": 12,
    "lineHeight": 1.25,
    "padding": "6px 2px",
}
_TITLE = {"color": theme.LIGHT.on_header, "white-space": "nowrap", "flex": "none", "padding-left": "10px"}
_DOING = {
    "color": theme.LIGHT.on_header_quiet,
    "white-space": "nowrap",
    "overflow": "hidden",
    "text-overflow": "ellipsis",
    "flex": "1 1 0",
    "min-width": "0",
}
_SWITCH: dict[str, Any] = {
    "margin": (0, 4),
    "align": "center",
    "styles": {"color": theme.LIGHT.on_header},
    "theme_config": {
        "palette": {"primary": {"main": theme.LIGHT.on_header}},
        "typography": {"body1": {"fontSize": 13}, "body2": {"fontSize": 13}},
    },
}
_IDLE = {"display": "none"}
_BAR: dict[str, Any] = {
    "sizing_mode": "stretch_width",
    "margin": 0,
    "styles": {"position": "sticky", "top": "0", "z-index": "2", "height": "3px", "margin-bottom": "-3px"},
}


def _button(label: str, **options: Any) -> pmui.Button:
    return pmui.Button(
        label=label, variant="text", size="small", margin=(0, 2), align="center", sx=ON_HEADER, **options
    )


def _dialog(title: str, *content: Any) -> pmui.Dialog:
    return pmui.Dialog(
        *content,
        title=title,
        title_variant="h6",
        show_close_button=True,
        close_on_click=True,
        width_option="sm",
        sizing_mode="stretch_width",
    )
