"""The most relevant pairs, on planted graphs."""

import awkward as ak
import numpy as np
import pandas as pd
import pytest

from workbench.data.explanation import Explanation, Ledger
from workbench.data.jets import Jets, momenta
from workbench.explanation.pairs import (
    BLIND,
    MOST,
    RELEVANT,
    SPECTRA,
    TOP,
    joined_pairs,
    joined_tables,
    pair_momenta,
    pair_shares,
    pair_tables,
)
from workbench.physics.bootstrap import Bootstrap

N = 6


def two_prongs(jets=40):
    """Jets of six massless particles: three around each of two prongs, 0.5 apart."""
    random = np.random.default_rng(8)
    prong = np.tile(np.arange(N) % 2, jets)
    fields = {
        "pt": np.tile(np.array([60.0, 50, 40, 30, 20, 10]), jets),
        "eta": 0.5 * prong + random.normal(0, 0.01, jets * N),
        "phi": random.normal(0, 0.01, jets * N),
        "mass": np.zeros(jets * N),
    }
    return Jets.of(momenta(**{name: ak.unflatten(v, np.full(jets, N)) for name, v in fields.items()}))


JETS = two_prongs()


def complete(jets, relevance_of, n=N):
    """Returns the explanation with all directed edges i -> j of each jet of n particles and relevance_of(i, j)."""
    i, j = (v.ravel() for v in np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    i, j = i[i != j], j[i != j]
    edges = {"i": i, "j": j, "relevance": relevance_of(i, j).astype(float)}
    records = ak.zip({name: ak.Array(np.tile(v, (len(jets), 1))) for name, v in edges.items()})
    shortcut = ak.unflatten(np.ones(n * len(jets)), jets.counts)
    zero = ak.zeros_like(jets.constituents.pt)
    ledger = Ledger(np.zeros(len(jets)), {"inputs": np.zeros(len(jets))})
    recorded = {"edges 0": records, "blocks.0.shortcut": shortcut}
    return Explanation(zero, zero[..., None], ("x",), ledger, recorded)


def found(relevance_of, jets=JETS, n=N):
    table = pair_tables(jets, complete(jets, relevance_of, n))[0]
    groups = {"all": (np.ones(len(jets), bool), Bootstrap(np.ones(len(jets))))}
    relevant, blind = pair_shares(table, 0, groups)
    assert (relevant.source, blind.source) == (RELEVANT, BLIND)
    return relevant, blind


def test_two_directions_are_one_pair_with_the_sum_of_their_relevance():
    edges = complete(JETS, lambda i, j: 10.0 * i + j).recorded["edges 0"]
    jet, one, other, relevance = joined_pairs(edges, JETS.counts)
    assert len(jet) == len(JETS) * N * (N - 1) // 2
    i, j = one - jet * N, other - jet * N
    np.testing.assert_array_equal(relevance, 11 * (i + j))
    assert (i < j).all()


def test_edges_planted_between_the_prongs_are_found_between_the_prongs():
    across = lambda i, j: np.where((i + j) % 2 == 1, -1.0, 1e-3)  # noqa: E731
    relevant, blind = found(across)
    # Of the 15 pairs 9 join the prongs. Three kT subjets split one of the prongs in two.
    np.testing.assert_allclose(relevant.between.value[:9], 1.0)
    assert relevant.between.value[0] > blind.between.value[0] >= 9 / 15
    near, far = relevant.spectra["deltar"].value[:2].sum(), relevant.spectra["deltar"].value[3:7].sum()
    assert far == pytest.approx(0.9, abs=0.01)
    assert near == pytest.approx(0.1, abs=0.01)


def test_edges_planted_within_the_prongs_are_close_and_light():
    within = lambda i, j: np.where((i + j) % 2 == 0, 1.0, 1e-3)  # noqa: E731
    relevant, _ = found(within)
    assert relevant.spectra["deltar"].value[0] == pytest.approx(6 / TOP, abs=0.02)
    assert relevant.between.value[-1] == pytest.approx(
        found(lambda i, j: np.ones(len(i)))[1].between.value[-1]
    )


def test_all_pairs_are_what_random_pairs_are():
    relevant, blind = found(lambda i, j: np.arange(len(i)))
    # A jet has 15 pairs: from the fifteenth on all are taken, whatever their order.
    np.testing.assert_allclose(relevant.between.value[14:], blind.between.value[14:])
    assert len(relevant.between.value) == MOST


def test_of_fewer_pairs_than_are_asked_for_all_are_taken_and_chance_has_as_many():
    few = Jets.of(JETS.constituents[:, :3])
    relevant, blind = found(lambda i, j: np.arange(len(i)), few, 3)
    for name in SPECTRA:
        np.testing.assert_allclose(relevant.spectra[name].value, blind.spectra[name].value)
        assert 0 < blind.spectra[name].value.sum() < 1 + 1e-9


def test_random_pairs_do_not_depend_on_relevance():
    one, other = (found(f)[1] for f in (lambda i, j: i * 1.0, lambda i, j: -j * 2.0))
    for name in SPECTRA:
        np.testing.assert_allclose(one.spectra[name].value, other.spectra[name].value)


def test_the_share_of_the_shortcut_counts_what_passes_the_edges_by():
    relevant, _ = found(lambda i, j: np.ones(len(i)))
    # Six particles with 1 each past 30 edges of 1 each.
    assert float(relevant.shortcut.value) == pytest.approx(6 / 36)


def test_masses_of_massless_pairs_are_the_closed_form():
    flat = ak.flatten(JETS.constituents, axis=1)
    pt, eta, phi = (ak.to_numpy(flat[name]) for name in ("pt", "eta", "phi"))
    one, other = np.arange(0, 60, 2), np.arange(1, 61, 2)
    seen = pair_momenta(JETS, one, other)
    angle = np.cosh(eta[one] - eta[other]) - np.cos(phi[one] - phi[other])
    np.testing.assert_allclose(seen["mass"], np.sqrt(2 * pt[one] * pt[other] * angle))
    np.testing.assert_allclose(seen["kt"], np.minimum(pt[one], pt[other]) * seen["deltar"])


def test_portions_and_empty_jets_change_nothing(tmp_path):
    whole = pair_tables(JETS, complete(JETS, lambda i, j: i - 3.0 * j))[0]
    parts = [pair_tables(p, complete(p, lambda i, j: i - 3.0 * j))[0] for p in (JETS[:11], JETS[11:])]
    joined = joined_tables(parts)
    np.testing.assert_array_equal(joined.between, whole.between)
    np.testing.assert_allclose(joined.blind["mass"], whole.blind["mass"])
    none = JETS[:0]
    empty = ak.zip({name: ak.Array(np.zeros((0, 0))) for name in ("i", "j", "relevance")})
    assert all(len(part) == 0 for part in joined_pairs(empty, none.counts))
    found(lambda i, j: np.ones(len(i)))[0].to_parquet(tmp_path / "pairs.parquet")
    table = pd.read_parquet(tmp_path / "pairs.parquet")
    assert set(table["what"]) == {*SPECTRA, "between subjets"}
