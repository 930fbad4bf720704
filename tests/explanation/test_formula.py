"""Formulas: planted ones are found, noise is not explained, nothing is executed."""

import numpy as np
import pytest

from workbench.errors import ExplanationError
from workbench.explanation.formula import Term, formulas


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(1)
    return {
        "mass": rng.uniform(20, 200, 2000),
        "tau21": rng.uniform(0.1, 0.9, 2000),
        "n": rng.poisson(40, 2000) + 1.0,
    }


SIGNAL = np.arange(2000) % 2 == 1


def test_a_planted_formula_is_found_with_its_factors(values):
    score = 2.0 + 3.0 * np.log(values["mass"]) - 0.5 * values["n"] * values["tau21"]
    found = formulas(score, SIGNAL, values, most=2, draws=20).found[-1]
    assert {str(term) for term in found.terms} == {"ln(mass)", "tau21·n"}
    factor = dict(zip(map(str, found.terms), found.factors, strict=True))
    assert factor["ln(mass)"].value == pytest.approx(3, rel=1e-6)
    assert factor["tau21·n"].value == pytest.approx(-0.5, rel=1e-6)
    assert found.constant.value == pytest.approx(2, rel=1e-5)
    assert found.r2.value == pytest.approx(1, abs=1e-10)
    assert found.ado.value == pytest.approx(1, abs=1e-5)
    np.testing.assert_allclose(found(values), score, rtol=1e-6)


def test_errors_of_factors_are_those_of_least_squares(values):
    """One term x and noise σ: error σ / (√n spread of x); 200 draws know it to 5 %, so 5 σ is 25 %."""
    noise = np.random.default_rng(2).normal(0, 2, 2000)
    found = formulas(0.1 * values["mass"] + noise, SIGNAL, {"mass": values["mass"]}, most=1).found[0]
    expected = 2 / (np.sqrt(1000) * 180 / np.sqrt(12))
    assert str(found.terms[0]) == "mass"
    assert found.factors[0].error == pytest.approx(expected, rel=0.25)
    assert abs(found.factors[0].value - 0.1) < 5 * expected


def test_noise_is_not_explained(values):
    """R² of other jets is not above 0 by 5 σ, and the order is that of a coin: one false alarm in 1.7 million each."""
    score = np.random.default_rng(3).normal(size=2000)
    for formula in formulas(score, SIGNAL, values, draws=100).found:
        assert formula.r2.value < 5 * formula.r2.error
        assert abs(formula.ado.value - 0.5) < 5 * formula.ado.error


def test_more_terms_leave_less_to_jets_that_were_fitted_and_the_list_is_counted(values):
    score = np.tanh(values["mass"] / 100) + values["tau21"] ** 3
    found = formulas(score, SIGNAL, values, draws=10)
    # 3 observables: 5 shapes each, and a product and two ratios for each of 3 pairs.
    assert found.candidates == 3 * 5 + 3 * 3
    assert [len(formula.terms) for formula in found.found] == [1, 2, 3, 4]
    r2 = [formula.r2.value for formula in found.found]
    assert r2[-1] > r2[0]


def test_jets_and_terms_that_are_not_defined_are_left_out_and_counted(values):
    mass = values["mass"].copy()
    mass[:100] = np.nan
    below = values["tau21"] - 0.5
    found = formulas(np.nan_to_num(mass), SIGNAL, {"mass": mass, "x": below}, most=1, draws=10)
    assert found.found[0].left_out == 100
    assert found.found[0].jets == 950
    # Of a value below 0 there is neither root nor logarithm.
    assert found.candidates == 5 + 3 + 3


def test_a_name_is_never_executed(values):
    name = "__import__('os').system('true')"
    found = formulas(values["mass"], SIGNAL, {name: values["mass"]}, most=1, draws=10)
    assert found.found[0].terms == (Term("", (name,)),)
    assert found.found[0].factors[0].value == pytest.approx(1)


def test_what_has_no_formula_is_refused(values):
    with pytest.raises(ExplanationError, match="0 observables"):
        formulas(values["mass"], SIGNAL, {})
    with pytest.raises(ExplanationError, match="tells jets apart"):
        formulas(values["mass"], SIGNAL, {"one": np.ones(2000)})
    few = np.where(np.arange(2000) < 30, values["mass"], np.nan)
    with pytest.raises(ExplanationError, match="defined for 30 jets"):
        formulas(values["mass"], SIGNAL, {"few": few})


def test_formulas_survive_parquet(values, tmp_path):
    import pandas as pd

    found = formulas(values["mass"] + values["tau21"], SIGNAL, values, most=2, draws=10)
    again = pd.read_parquet(found.to_parquet(tmp_path / "formulas.parquet"))
    assert again["formula"][0].startswith("score ≈ ")
    assert list(again["terms"]) == [1, 2]
