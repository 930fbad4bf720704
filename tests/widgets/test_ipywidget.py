"""The explorer in hosts that know nothing but ipywidgets: what changes on either side arrives on the other."""

import json

import pytest

from tests.patience import settle
from tests.toys import toy_jets
from workbench.widgets.jet_explorer import JetExplorer

JETS = toy_jets(200, 3)

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


@pytest.fixture
def explorer():
    made = JetExplorer(JETS)
    settle(made.errands, made.beat)
    made.current = 3
    yield made
    made.close()


def test_a_selection_that_a_cell_makes_is_sent_to_the_host(explorer, monkeypatch):
    widget, sent = explorer.ipywidget(), []
    monkeypatch.setattr(widget, "send", lambda content, buffers=None: sent.append(content))
    explorer.selection = "mass > 100"
    contents = [json.loads(message["payload"]) for message in sent if "payload" in message]
    events = [event for content in contents for event in content.get("events", ())]
    picture = explorer.distributions.histograms["multiplicity"].picture
    (drawn,) = {model.data.id for model, _ in picture._models.values() if model.document is widget._document}
    assert drawn in {event.get("model", {}).get("id") for event in events}


def test_a_particle_that_is_clicked_in_the_host_is_picked(explorer):
    widget = explorer.ipywidget()
    chosen = explorer.inspector.particles.selected
    click = {"kind": "ModelChanged", "model": {"id": chosen.id}, "attr": "indices", "new": [2]}
    widget._sync_model(widget, {"event": "jsevent", **click}, [])
    assert explorer.inspector.picked == 2
