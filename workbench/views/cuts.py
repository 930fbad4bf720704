"""Cuts that act in the browser: one row of values, and the filters that every glyph of the flat views reads it by."""

from collections.abc import Sequence

from bokeh.models import CDSView, ColumnDataSource, CustomJS, CustomJSFilter, Filter

PARTICLES = """
const { pt_min, eta_max, charges, kinds, layers } = cuts.data
const { pt, eta, charge, code } = source.data
const keep = []
for (let i = 0; i < pt.length; i++) {
  const q = charge[i]
  const signed = charges[0] == "all" || (charges[0] == "charged" && Math.abs(q) > 0)
    || (charges[0] == "neutral" && q == 0) || (charges[0] == "+" && q > 0) || (charges[0] == "-" && q < 0)
  keep.push(layers[0].includes("particles") && signed && pt[i] >= pt_min[0]
    && Math.abs(eta[i]) <= eta_max[0] && ((kinds[0] >> code[i]) & 1) == 1)
}
return keep
"""
JETS = """
const { jet_pt_min, eta_max, layers } = cuts.data
const { pt, eta } = source.data
const keep = []
for (let i = 0; i < pt.length; i++)
  keep.push(layers[0].includes("jets") && pt[i] >= jet_pt_min[0] && Math.abs(eta[i]) <= eta_max[0])
return keep
"""
LAYER = """
const shown = cuts.data.layers[0].split(",").some((name) => names.includes(name))
return new Array(source.get_length() ?? 0).fill(shown)
"""


class Cuts:
    """The cuts that the figures of one display share; only the browser changes them once a page is open."""

    def __init__(self, values: dict[str, list[float | int | str]]) -> None:
        """Takes the values of `row`."""
        self.source = ColumnDataSource(values)
        shared = {"cuts": self.source}
        self.particles = CustomJSFilter(args=shared, code=PARTICLES)
        self.jets = CustomJSFilter(args=shared, code=JETS)
        self._filters: list[Filter] = [self.particles, self.jets]
        self._listen = CustomJS(code="for (const filter of filters) filter.change.emit()")
        self.source.js_on_change("data", self._listen)
        self._renew()

    def layer(self, *names: str) -> CDSView:
        """Returns the view of what is shown while one of the layers is."""
        found = CustomJSFilter(args={"cuts": self.source, "names": list(names)}, code=LAYER)
        self._filters.append(found)
        self._renew()
        return CDSView(filter=found)

    def _renew(self) -> None:
        self._listen.args = {"filters": list(self._filters)}


def row(
    *,
    pt_min: float,
    jet_pt_min: float,
    eta_max: float,
    charges: str,
    kinds: Sequence[int],
    layers: Sequence[str],
) -> dict[str, list[float | int | str]]:
    """Returns the one row of values; kinds are a number with one bit per kind, layers one text."""
    return {
        "pt_min": [pt_min],
        "jet_pt_min": [jet_pt_min],
        "eta_max": [eta_max],
        "charges": [charges],
        "kinds": [sum(1 << kind for kind in kinds)],
        "layers": [",".join(layers)],
    }
