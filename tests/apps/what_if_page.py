"""A page with the editing of a jet alone, for the browser tests; `?particles=300` opens a jet of so many."""

import numpy as np
import panel as pn

import workbench as wb
from workbench.data.jets import Jets, momenta
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import EXPRESS, Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.latency import hasten
from workbench.widgets.opening import page
from workbench.widgets.what_if import WhatIf

pn.extension("tabulator")
hasten()


def spray(particles: int) -> Jets:
    """One jet of so many particles, its fields as the bundled jets have them."""
    generator = np.random.default_rng(particles)
    n, like = particles, wb.load(wb.bundled("jets"))[:1]
    fields = {
        "pt": np.sort(generator.exponential(600 / max(n, 1), n))[::-1] + 0.5,
        "eta": generator.normal(0, 0.25, n),
        "phi": generator.normal(0, 0.25, n),
        "mass": np.zeros(n),
        "pid": generator.choice([22, 211, 130], n),
    }
    fields["charge"] = np.where(fields["pid"] == 211, 1, 0)
    fields |= {name: np.zeros(n) for name in like.constituents.fields if name not in fields}
    listed = {name: [values.tolist()] for name, values in fields.items()}
    constituents = momenta(
        **{name: np.zeros(0)[None] if not n else np.array(x) for name, x in listed.items()}
    )
    stated = momenta(
        **{name: np.array([x]) for name, x in (("pt", 600.0), ("eta", 0.0), ("phi", 0.0), ("mass", 90.0))}
    )
    return Jets.of(constituents, p4=stated, label=[1], classes=like.classes)


asked = (pn.state.session_args or {}).get("particles", [b""])[0].decode()
jets = spray(int(asked)) if asked else wb.load(wb.bundled("jets"))[:400]
sample, errands = SampleState(), Errands(express=EXPRESS)
analysis = Analysis(sample, SelectionState(sample), errands)
what_if = WhatIf(analysis)
sample.take(jets, "jets")
analysis.take(wb.open(wb.bundled("tagger")), "bundled")
pn.state.add_periodic_callback(errands.collect, 50)
pn.state.add_periodic_callback(what_if.beat, 100)
page("What if", main=[what_if]).servable()
