import numpy as np
import pytest
from scipy.spatial.distance import jensenshannon

from workbench.data.classes import ClassArray
from workbench.errors import DataError
from workbench.physics.efficiency import efficiency, efficiency_by_class, jensen_shannon, sculpting
from workbench.physics.intervals import wilson


def test_the_efficiency_of_each_bin_is_its_share_with_wilsons_interval():
    values = np.repeat([1.0, 3.0], [10, 20])
    passed = np.concatenate([np.arange(10) < 3, np.arange(20) < 20])
    result = efficiency(values, passed, [0, 2, 4, 6], label="pT", unit="GeV")
    assert result.value[:2] == pytest.approx([0.3, 1.0])
    assert result.low[:2] == pytest.approx(wilson([3, 20], [10, 20])[0])
    assert result.high[:2] == pytest.approx(wilson([3, 20], [10, 20])[1])
    assert np.isnan([result.value[2], result.low[2], result.high[2]]).all()
    assert result.label == "pT [GeV]"
    assert result.outside == 0


def test_jets_outside_the_bins_are_counted():
    result = efficiency([-1.0, 1.0, 9.0, np.nan], np.ones(4, dtype=bool), [0, 2])
    assert result.outside == 3
    assert result.total.tolist() == [1.0]


def test_weighted_intervals_cover_as_often_as_they_say():
    generator = np.random.default_rng(1)
    covered = []
    for _ in range(600):
        passed = generator.random(500) < 0.2
        weight = np.where(generator.random(500) < 0.1, -1, 1) * np.where(passed, 2.0, 1.0)
        # Passing jets weigh twice: the share of weight is 0.4 / (0.4 + 0.8).
        result = efficiency(np.full(500, 0.5), passed, [0, 1], weight=weight)
        covered.append(result.low[0] <= 1 / 3 <= result.high[0])
    # Binomial: 0.683 +- 0.019; 4 sigma: false alarm 6e-5.
    assert np.mean(covered) == pytest.approx(0.683, abs=0.076)


def test_signal_efficiency_and_mistag_rate_share_their_bins():
    label = ClassArray(np.array([0, 0, 1, 1, -1]), ("QCD", "top", "W"))
    result = efficiency_by_class(label, [1.0, 2, 1, 3, 2], np.array([True, False, True, True, True]), 2)
    assert list(result) == ["QCD", "top"]
    assert result["top"].value.tolist() == [1, 1]
    assert result["QCD"].value.tolist() == [1, 0]


def test_the_jensen_shannon_distance_is_scipys_and_spans_zero_to_one():
    p, q = np.array([0.1, 0.4, 0.5, 0.0]), np.array([0.3, 0.3, 0.0, 0.4])
    assert jensen_shannon(p, q) == pytest.approx(jensenshannon(p, q, base=2))
    assert jensen_shannon(p, 7 * p) == 0
    assert jensen_shannon([1, 0], [0, 1]) == pytest.approx(1)


def test_a_cut_that_knows_nothing_of_the_mass_gives_the_floor():
    generator = np.random.default_rng(2)
    squares, floors = [], []
    for _ in range(400):
        mass = generator.uniform(0, 1, 2000)
        result = sculpting(mass, generator.random(2000) < 0.3, (20, 0, 1))
        squares.append(result.distance**2)
        floors.append(result.floor**2)
    # The divergence is chi-square of 19 degrees: 400 toys give its mean to sqrt(2/19/400) = 1.6 %; 4 sigma, false alarm
    # 6e-5; 2 % for the next order in 1/n.
    assert np.mean(squares) == pytest.approx(np.mean(floors), rel=0.065 + 0.02)


def test_a_cut_on_the_mass_itself_sculpts_it():
    mass = np.linspace(0, 1, 1000, endpoint=False)
    result = sculpting(mass, mass > 0.5, (10, 0, 1), label="mass", unit="GeV")
    assert result.distance > 10 * result.floor
    assert result.after.values()[:5].sum() == 0
    assert result.before.values().sum() == 1000


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: efficiency([1.0, 2.0], [0.3, 0.7], 2), "must be yes or no; found float64"),
        (lambda: efficiency([1.0, 2.0], [True], 2), "need one per jet"),
        (lambda: sculpting([1.0, 2.0], np.array([False, False]), 2), "loosen the cut"),
        (
            lambda: sculpting([1.0, 2.0, 2.0], np.ones(3, dtype=bool), 2, weight=[-1, 2, 2]),
            "1 bins before the cut have a negative sum",
        ),
    ],
)
def test_bad_input_has_its_sentence(call, sentence):
    with pytest.raises(DataError, match=sentence):
        call()
