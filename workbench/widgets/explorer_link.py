"""What the address of an explorer says, opened piece by piece; and what the page shows, written into its address."""

from collections.abc import Sequence
from typing import Any

from ..errors import nearest
from ..state.display import VIEWS
from ..state.link import LinkState
from . import jet_views
from .address import Address
from .analysis import ATTENTION, METHODS, OPPOSED, RULES
from .choices import Choices
from .explorer import Explorer
from .networks import BUNDLED, Networks
from .sample_picker import SamplePicker

FIRST = "jets"
"""The sample of a page whose address names none."""

WAYS = {"rule": RULES, "method": METHODS, "attention": ATTENTION, "opposed": OPPOSED}
"""How the open jet is explained: what there is, the usual first."""


class ExplorerLink:
    """Opens what a link says and keeps the address in step; `address` is its place on the page, with its notice.

    Args:
        picker: Opens samples.
        networks: Opens networks.
        explorer: What is shown.
        tabs: Names of the tabs of the page beside those of the open jet.
    """

    def __init__(
        self, picker: SamplePicker, networks: Networks, explorer: Explorer, tabs: Sequence[str] = ()
    ) -> None:
        self.picker, self.networks, self.explorer = picker, networks, explorer
        self.sample, self.selection = explorer.sample, explorer.selection
        self.comparison, self.analysis = explorer.comparison, explorer.analysis
        self.display = explorer.display
        self._tabs: list[str] = []
        self._pair, self._wanted = ("", ""), BUNDLED
        self._rest = ("", "")
        self.link = LinkState(
            {
                "sample": picker.check,
                "beside": picker.check,
                "network": networks.check,
                **WAYS,
                "view": list(VIEWS),
                "tab": (*jet_views.LESSON_OF_TAB, *tabs),
            }
        )
        self.address, self.choices = Address(self.link, self._capture), Choices()
        self._begun = False

    def begin(self) -> None:
        """Reads the address and begins to read the sample that it names."""
        self.address.read()
        self.choices.read(self.link.choices)
        self.sample.param.watch(self._on_sample, "jets")
        self.sample.param.watch(self._on_version, "version")
        self.analysis.param.watch(self._on_network, "fitted")
        self.analysis.param.update(**{name: said for name in WAYS if (said := getattr(self.link, name))})
        if self.link.view:
            self.display.state.view = self.link.view
        self._say(self.display.from_link(self.link.display))
        self._tabs = list(self.link.tabs)
        self._pair, self._wanted = (self.link.signal, self.link.background), self.link.network or BUNDLED
        # The link follows the page as soon as there is a sample.
        self._rest = self.link.beside, self.link.network
        self.picker.open(self.link.sample or FIRST)

    def start(self) -> None:
        """Begins to open what else the address names; to be called once the page is painted."""
        beside, network = self._rest
        if beside:
            self.picker.open_beside(beside)
        self._open_network(network)

    def beat(self) -> None:
        """Opens and chooses what has come, writes the address once the view is still; called by the page's timer."""
        self._open_tabs()
        if notices := self.choices.offer(self.offered()):
            self._say(notices)
        self.address.beat()

    def _open_network(self, name: str) -> None:
        """Opens the network of a link; where it names none, or one that cannot be opened, the bundled one."""

        def failed(why: str) -> None:
            self._say([why])
            if name not in {"", BUNDLED}:
                self._open_network("")

        self.networks.open(name or BUNDLED, failed, unasked=not name)

    def show(self) -> None:
        """Shows what else the link names, once its sample is there."""

    def offered(self) -> dict[str, Any]:
        """Returns the widgets of which the address says what is chosen, by their names there."""
        inspector = self.explorer.inspector
        if not len(inspector.others):
            return {}
        images = inspector.images
        steps = {f"image.{step.__name__}": switch for step, switch in images.switches.items()}
        return {"image": images.shown, "image.class": images.of, **steps}

    def shown(self) -> dict[str, Any]:
        """Returns what else of the page stands in its address."""
        return {}

    def made(self) -> list[tuple[tuple[str, ...], Any]]:
        """Returns the tabs that are there by now, with their names in a link; they are made when they are first needed."""
        inspector = self.explorer.inspector
        return [(jet_views.LESSON_OF_TAB, inspector.tabs)] if len(inspector.others) else []

    def _on_sample(self, *events: Any) -> None:
        wanted, first = self.link.sample or FIRST, not self._begun
        self._begun = True
        self.link.forget()
        if first and self.sample.id == wanted:
            self.link.apply(self.sample, self.selection)
            self.explorer.table.show_order(self.link.by, self.link.descending)
            self.show()
        self.address.begin()

    def _on_version(self, *events: Any) -> None:
        if self._begun:
            self.link.resume(self.sample, self.selection)

    def _on_network(self, *events: Any) -> None:
        """Asks for the score that the link names once its network is there."""
        fitted, pair = self.analysis.fitted, self._pair
        if fitted is None or not all(pair) or self.networks.name != self._wanted:
            return
        self._pair = ("", "")
        unknown = [name for name in pair if name not in fitted.classes]
        self._say([f"The network knows no class {x[:60]!r}; {nearest(x, fitted.classes)}" for x in unknown])
        if not unknown and pair[0] != pair[1]:
            self.analysis.against(*pair)

    def _capture(self) -> None:
        self.link.capture(self.sample, self.selection, self.comparison.reference)
        analysis, view, name = self.analysis, self.display.state.view, self.networks.name
        fitted, pair = analysis.fitted, self._pair
        if fitted is not None and not all(pair) and analysis.seed != (fitted.classes[-1], fitted.classes[0]):
            pair = analysis.seed
        said = {name: getattr(analysis, name) for name in WAYS}
        self.link.param.update(
            network="" if name == BUNDLED else name,
            signal=pair[0],
            background=pair[1],
            view=view if view != VIEWS[0] else "",
            display=self.display.to_link(),
            choices=self.choices.texts(),
            tabs=[*self._tabs, *(names[tabs.active] for names, tabs in self.made() if tabs.active)],
            **{name: value if value != WAYS[name][0] else "" for name, value in said.items()},
            **self.shown(),
        )

    def _say(self, notices: list[str]) -> None:
        self.link.notices = [*self.link.notices, *notices]

    def _open_tabs(self) -> None:
        for names, tabs in self.made() if self._tabs else ():
            for name in [name for name in self._tabs if name in names]:
                tabs.active = names.index(name)
                self._tabs.remove(name)
