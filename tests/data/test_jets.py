"""Jets check what they are given and keep it together."""

import awkward as ak
import numpy as np
import pytest

from workbench.data import Events, Jets, Showers
from workbench.data.calochallenge import PUBLISHED
from workbench.data.classes import ClassArray
from workbench.data.explanation import Ledger
from workbench.data.jets import concatenate, joined, momenta, summed, wrapped
from workbench.errors import DataError

from .test_parquet import jets_of


def two_body(**changes):
    fields = {
        "pt": [[5.0, 20.0], [], [3.0]],
        "eta": [[0.0, 0.0], [], [1.0]],
        "phi": [[0.0, np.pi], [], [0.5]],
    }
    fields["mass"] = [[0.0, 0.0], [], [0.2]]
    return momenta(**{name: ak.Array(values) for name, values in (fields | changes).items()})


def test_constituents_are_ordered_by_pt_and_summed():
    jets = Jets.of(two_body())
    assert jets.constituents.pt.to_list() == [[20.0, 5.0], [], [3.0]]
    assert jets.counts.tolist() == [2, 0, 1]
    # back to back: pt 15, energy 25, mass sqrt(25^2 - 15^2) = 20
    assert jets.p4[0].pt == pytest.approx(15)
    assert jets.p4[0].mass == pytest.approx(20)
    assert jets.p4[1].to_list() == {"pt": 0, "eta": 0, "phi": 0, "mass": 0}
    assert jets.p4[2].mass == pytest.approx(0.2)


def test_order_of_constituents_that_are_sorted_is_left_alone():
    jets = jets_of(200)
    again = Jets.of(jets.constituents, p4=jets.p4)
    assert again.constituents.pid.to_list() == jets.constituents.pid.to_list()
    assert all(list(pt) == sorted(pt, reverse=True) for pt in jets.constituents.pt)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"eta": [[0.0, np.nan], [], [1.0]]}, "1 of 3 constituents have a eta that is not a finite number"),
        ({"pt": [[5.0, 20.0], [], [-3.0]]}, "1 constituents have a negative pt"),
    ],
)
def test_values_that_are_no_momenta_are_counted(changes, sentence):
    changes = {name: ak.Array(values) for name, values in changes.items()}
    with pytest.raises(DataError, match=sentence):
        Jets.of(two_body(**changes), p4=Jets.of(two_body()).p4)


def test_labels_weights_and_columns_of_other_lengths_are_refused():
    with pytest.raises(DataError, match="one entry per jet; found .*2 labels"):
        Jets.of(two_body(), label=[0, 0], classes=("QCD",))
    with pytest.raises(DataError, match="2 values of 'x'"):
        Jets.of(two_body(), columns={"x": np.zeros(2)})
    with pytest.raises(DataError, match="integers from -1 to 0"):
        Jets.of(two_body(), label=[0, 0, 1], classes=("QCD",))
    with pytest.raises(DataError, match="1 of 3 weights are not finite"):
        Jets.of(two_body(), weight=[1.0, np.nan, -1.0])


def test_a_selection_keeps_everything_of_a_jet_together():
    jets = jets_of(40)
    mask = np.asarray(jets.label) == 1
    chosen = jets[mask]
    assert chosen.counts.tolist() == jets.counts[mask].tolist()
    assert chosen.columns["tau21"].tolist() == jets.columns["tau21"][mask].tolist()
    assert jets[-1].fingerprint == jets[39:].fingerprint == jets[[39]].fingerprint
    assert len(jets[[]]) == 0
    with pytest.raises(IndexError, match="no jet 40; the sample has 40"):
        _ = jets[40]


def test_a_class_is_asked_by_name():
    jets = jets_of(40)
    assert (jets.is_class("top") == (np.asarray(jets.label) == 1)).all()
    with pytest.raises(DataError, match="no class 'Top'.*did you mean 'top'"):
        jets.is_class("Top")


def test_joining_maps_classes_by_name_and_names_what_is_lost():
    first = Jets.of(two_body(), label=[0, 1, -1], classes=("QCD", "top"), columns={"x": np.zeros(3)})
    second = Jets.of(two_body(), label=[0, 1, 1], classes=("top", "W"))
    both = concatenate([first, second])
    assert both.classes == ("QCD", "top", "W")
    assert both.label.tolist() == [0, 1, -1, 1, 2, 2]
    assert "left out: x" in both.origin.steps[-1]
    assert both.p4.energy.to_list() == [*first.p4.energy, *second.p4.energy]
    assert both.constituents.px.to_list() == [
        *first.constituents.px.to_list(),
        *second.constituents.px.to_list(),
    ]


def test_fingerprints_see_every_value_and_no_origin():
    jets = jets_of(10)
    assert jets.fingerprint == jets_of(10).fingerprint
    assert jets.fingerprint != jets_of(10, seed=1).fingerprint
    assert jets.fingerprint != jets[:9].fingerprint


def test_the_sum_agrees_with_vector():
    jets = jets_of(100)
    total = summed(jets.constituents)
    by_vector = ak.sum(jets.constituents, axis=1)
    filled = jets.counts > 0
    np.testing.assert_allclose(total.px[filled], by_vector.px[filled], rtol=1e-5, atol=1e-3)
    np.testing.assert_allclose(total.energy[filled], by_vector.energy[filled], rtol=1e-5)


def test_labels_compare_by_name():
    label = ClassArray([0, 1, -1, 1], ("QCD", "top"))
    assert (label == "top").tolist() == [False, True, False, True]
    assert (label != "top").tolist() == [True, False, True, False]
    assert (label == 0).tolist() == [True, False, False, False]
    with pytest.raises(DataError, match="no class 'topp' here; did you mean 'top'"):
        _ = label == "topp"
    assert label[1:].classes == ("QCD", "top")


def test_events_keep_collections_labels_and_columns_together():
    events = Events.of(
        {"particles": two_body()}, label=[0, -1, 0], classes=("a",), columns={"run": np.arange(3)}
    )
    assert ak.num(events[[2, 0]]["particles"]).to_list() == [1, 2]
    assert events[[2, 0]].columns["run"].tolist() == [2, 0]
    assert len(events[1]) == 1
    with pytest.raises(DataError, match="no 'particle'; did you mean 'particles'"):
        _ = events["particle"]
    with pytest.raises(DataError, match="one entry per event"):
        Events.of({"particles": two_body()}, columns={"run": np.arange(2)})
    with pytest.raises(DataError, match="at least one collection"):
        Events.of({})


def test_showers_fit_their_geometry():
    geometry = PUBLISHED[6480]
    showers = Showers(np.ones((3, *geometry.shape)), np.ones(3), geometry)
    assert len(showers[1:]) == 2
    assert len(showers[-1]) == 1
    with pytest.raises(IndexError, match="no shower 3; the sample has 3"):
        _ = showers[3]
    with pytest.raises(DataError, match="do not fit 2 incident energies"):
        Showers(np.ones((3, *geometry.shape)), np.ones(2), geometry)
    with pytest.raises(DataError, match="negative or not finite"):
        Showers(-np.ones((3, *geometry.shape)), np.ones(3), geometry)


def test_a_ledger_closes_where_its_lines_add_up_to_the_score():
    ledger = Ledger(np.array([3.0, 3.0]), {"inputs": np.array([5.0, 5.0]), "biases": np.array([-2.0, -1.0])})
    assert ledger.rest.tolist() == [0.0, -1.0]
    assert ledger.closes().tolist() == [True, False]
    assert ledger.scale.tolist() == [7.0, 6.0]
    assert ledger[1:].closes(tolerance=0.2).tolist() == [True]


def test_angles_are_wrapped_into_minus_pi_to_pi():
    assert wrapped(np.array([np.pi, -np.pi, 3 * np.pi, 0.0])).tolist() == pytest.approx(
        [np.pi, np.pi, np.pi, 0.0]
    )
    # 2 pi k is removed, whatever k; rounding is of the size of the angle
    angles = np.linspace(-20, 20, 1001)
    np.testing.assert_allclose(np.exp(1j * wrapped(angles)), np.exp(1j * angles), atol=1e-13)
    assert (np.abs(wrapped(angles)) <= np.pi).all()


def test_joined_records_keep_the_fields_in_common_at_every_depth():
    inner = ak.unflatten(momenta(pt=[5.0], eta=[0.0], phi=[0.0], mass=[1.0], d0=[0.1]), [1])
    jet = momenta(pt=[9.0], eta=[0.0], phi=[0.0], mass=[1.0], tau1=[0.5])
    full = ak.with_field(jet, inner, "constituents")
    less = ak.with_field(
        momenta(pt=[9.0], eta=[0.0], phi=[0.0], mass=[1.0]),
        inner[["pt", "eta", "phi", "mass"]],
        "constituents",
    )
    kept, lost = joined(
        [{"jets": full, "n": np.ones(1)}, {"jets": less, "n": np.ones(1), "more": np.ones(1)}]
    )
    assert lost == ["jets.constituents.d0", "jets.tau1", "more"]
    assert kept["jets"].constituents.px.to_list() == [[5.0], [5.0]]
    assert kept["jets"].px.to_list() == [9.0, 9.0]
    assert isinstance(kept["n"], np.ndarray)
