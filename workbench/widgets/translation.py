"""What a network learned, in the words of physics."""

from typing import Any

import panel as pn

from .analysis import Analysis
from .finding import Finding
from .layer_probes import LayerProbes
from .named_observables import NamedObservables
from .panes import row
from .planing import WithoutObservable
from .score_formula import ScoreFormula


class Translation(pn.viewable.Viewer):
    """Named observables that order jets as the network does, what its layers know, what it can do without, and a formula.

    Each is a study of its own, begun by its button.
    """

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.observables, self.layers = NamedObservables(analysis), LayerProbes(analysis)
        self.without, self.formula = WithoutObservable(analysis), ScoreFormula(analysis)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The studies, in the order in which they stand."""
        return self.observables, self.formula, self.layers, self.without

    @property
    def choices(self) -> dict[str, Any]:
        """What can be chosen, by its name in a link."""
        return {
            "jets": self.observables.jets,
            "degree": self.observables.degree,
            "surrogate": self.observables.surrogate,
            "layer-jets": self.layers.jets,
            "read": self.layers.names,
            "without-jets": self.without.jets,
            "without": self.without.names,
            "again": self.without.network,
            "formula-jets": self.formula.jets,
            "formula": self.formula.names,
        }

    def beat(self) -> None:
        """Follows the studies that run; called by the page's timer."""
        for finding in self.findings:
            finding.beat()

    def __panel__(self) -> pn.viewable.Viewable:
        first, second = (
            row([self.observables, self.without], width=520, most=2),
            row([self.formula], width=520, most=1),
        )
        return pn.Column(first, self.layers, second, sizing_mode="stretch_width", margin=0)
