import contextlib

import awkward as ak
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tests.toys import toy_jets
from workbench.data import Geometry, Showers
from workbench.data.events import Events
from workbench.data.jets import Jets, momenta
from workbench.errors import SelectionError
from workbench.physics.observables import observables
from workbench.physics.selection import evaluate, parse, select


@pytest.fixture(scope="module")
def jets():
    """Forty toys with columns: a score that is nan for jets 0 to 2, a flag, text, a vector and a record."""
    sample = toy_jets(40, seed=1)
    score = np.linspace(0, 1, 40)
    score[:3] = np.nan
    return sample.with_columns(
        score=score,
        flag=np.arange(40) % 4 == 0,
        source=np.array(["a", "b"] * 20),
        truth=ak.zip({"pt": np.arange(40.0), "eta": np.zeros(40)}),
        three=np.arange(120.0).reshape(40, 3),
        **{"odd name": np.arange(40)},
    )


@pytest.fixture(scope="module")
def events():
    return Events.of(
        {
            "muons": momenta(
                pt=ak.Array([[30.0, 10.0], [], [25.0]]),
                eta=ak.Array([[0.1, 2.0], [], [-1.0]]),
                phi=ak.Array([[0.0, 1.0], [], [2.0]]),
                mass=ak.Array([[0.1, 0.1], [], [0.1]]),
            ),
            "met": ak.zip({"pt": np.array([5.0, 50.0, 20.0]), "phi": np.zeros(3)}),
        },
        columns={"run": np.array([1, 1, 2])},
    )


def kept(sample, expression):
    return evaluate(sample, parse(expression)).keep


def column(jets, name):
    return np.asarray(getattr(jets.p4, name))


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("pt > 600 & abs(eta) < 1", lambda pt, eta, mass: (pt > 600) & (abs(eta) < 1)),
        ("pt>600 and abs(eta)<1", lambda pt, eta, mass: (pt > 600) & (abs(eta) < 1)),
        ("pt > 600 | eta > 0 & mass > 50", lambda pt, eta, mass: (pt > 600) | ((eta > 0) & (mass > 50))),
        ("(pt > 600 || eta > 0) && mass > 50", lambda pt, eta, mass: ((pt > 600) | (eta > 0)) & (mass > 50)),
        ("580 < pt <= 620", lambda pt, eta, mass: (pt > 580) & (pt <= 620)),
        ("not pt > 600", lambda pt, eta, mass: pt <= 600),
        ("~pt > 600 & eta > 0", lambda pt, eta, mass: (pt <= 600) & (eta > 0)),
        ("mass / pt > 0.1 * 2 - .05", lambda pt, eta, mass: mass / pt > 0.15),
        ("-eta**2 > -1", lambda pt, eta, mass: eta**2 < 1),
        ("2**-1 ** 2 * mass > 30", lambda pt, eta, mass: 0.5 * mass > 30),
        ("pt - 10 - 20 > 6e2", lambda pt, eta, mass: pt - 30 > 600),
        ("max(mass, pt / 4, 120) > 150", lambda pt, eta, mass: np.maximum(mass, pt / 4) > 150),
        ("min(eta, -eta) > -1", lambda pt, eta, mass: abs(eta) < 1),
        ("sqrt(exp(log(pt))) > 24.5", lambda pt, eta, mass: np.sqrt(pt) > 24.5),
        ("1 > 2", lambda pt, eta, mass: np.zeros(40, dtype=bool)),
    ],
)
def test_an_expression_means_what_a_physicist_reads(jets, expression, expected):
    wanted = expected(*(column(jets, name) for name in ("pt", "eta", "mass")))
    assert np.array_equal(kept(jets, expression), wanted)


def test_a_selection_keeps_every_part_of_the_sample_in_step(jets):
    chosen = select(jets, 'label == "top" & pt > 600')
    mask = jets.is_class("top") & (column(jets, "pt") > 600)
    assert isinstance(chosen, Jets)
    assert chosen.fingerprint == jets[mask].fingerprint
    assert 0 < mask.sum() < 40


def test_the_origin_says_what_was_kept(jets):
    assert select(jets, "`odd name` < 10").origin.steps[-1] == "selected `odd name` < 10: 10 of 40"
    assert jets.origin.steps == ()


def test_classes_are_compared_by_name_in_either_quote_and_order(jets):
    for expression in ("label == 'top'", '"top" == label', "label != 'QCD'", "label == 1"):
        assert np.array_equal(kept(jets, expression), jets.is_class("top"))


def test_an_unknown_label_equals_no_class_and_differs_from_none():
    sample = toy_jets(6, seed=1)
    sample = Jets.of(sample.constituents, label=[0, 1, -1, 0, 1, -1], classes=sample.classes)
    for sign in ("==", "!="):
        step = select(sample, f"label {sign} 'top'").origin.steps[-1]
        assert step.endswith("2 of 6 (2 with an undefined value, which compares False)")


@pytest.mark.parametrize(
    "expression", ["score < 2", "score != 5", "0 < score < 2", "not (score >= 2) & score < 9"]
)
def test_nan_compares_false_and_is_counted(jets, expression):
    chosen = select(jets, expression)
    assert len(chosen) == 37
    assert chosen.origin.steps[-1].endswith("(3 with an undefined value, which compares False)")


def test_yes_and_no_columns_stand_for_themselves(jets):
    assert np.array_equal(kept(jets, "flag"), np.arange(40) % 4 == 0)
    assert np.array_equal(kept(jets, "~flag & pt > 0"), np.arange(40) % 4 != 0)


def test_fields_after_a_dot_and_lists_per_jet(jets):
    assert kept(jets, "truth.pt < 7").sum() == 7
    hardest = ak.to_numpy(ak.max(jets.constituents.pt, axis=1))
    assert np.array_equal(kept(jets, "max(constituents.pt) > 200"), hardest > 200)
    assert np.array_equal(kept(jets, "any(constituents.pt > 200)"), hardest > 200)
    assert np.array_equal(kept(jets, "count(constituents) == multiplicity"), np.ones(40, dtype=bool))
    assert np.array_equal(
        kept(jets, "sum(constituents.pt) > 600"), ak.to_numpy(ak.sum(jets.constituents.pt, axis=1)) > 600
    )
    assert np.array_equal(kept(jets, "all(constituents.pt < pt)"), hardest < column(jets, "pt"))
    assert kept(jets, "max(three) < 30").sum() == 10


def test_observables_are_computed_by_name(jets):
    girth = observables(jets, ["girth"])["girth"]
    assert np.array_equal(kept(jets, "girth > 0.2"), girth > 0.2)
    assert 0 < (girth > 0.2).sum() < 40


def test_events_are_selected_on_collections_records_and_columns(events):
    assert kept(events, "count(muons) >= 1 & met.pt < 10").tolist() == [True, False, False]
    assert kept(events, "any(muons.pt > 20 & abs(muons.eta) < 0.5)").tolist() == [True, False, False]
    assert kept(events, "run == 2").tolist() == [False, False, True]
    chosen = select(events, "max(muons.pt) > 26")
    assert isinstance(chosen, Events)
    assert chosen.origin.steps == (
        "selected max(muons.pt) > 26: 1 of 3 (1 with an undefined value, which compares False)",
    )


def test_an_empty_sample_stays_empty(jets):
    assert len(select(jets[:0], "pt > 1 & girth > 0.1")) == 0


@settings(max_examples=200, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.sampled_from(["2", "0.5", "3e0", "1.25"]),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from([" + ", "-", "*", " / "]), inner).map("".join),
            inner.map("-{}".format),
            inner.map("({})".format),
            inner.map("abs({})**2".format),
        ),
        max_leaves=12,
    )
)
def test_arithmetic_binds_as_in_python(jets, arithmetic):
    try:
        value = eval(arithmetic, {"abs": abs}, {})  # the oracle, on text made above
    except (ZeroDivisionError, OverflowError):
        assume(False)
    low, high = sorted((value * (1 - 1e-9), value * (1 + 1e-9)))
    assert kept(jets, f"{low!r} <= {arithmetic} <= {high!r}").all()


WORDS = (
    *(
        "pt",
        "eta",
        "flag",
        "label",
        "score",
        "truth.pt",
        "three",
        "constituents",
        "constituents.pt",
        "source",
    ),
    *("maas", "'top'", "1", "2.5", "é"),
)
JOINTS = ("+", "-", "*", "/", "**", "<", "<=", "==", "!=", "&", "|", "and", "or", ",", "@", "")
WRAPS = (
    "({})",
    "-{}",
    "~{}",
    "not {}",
    "abs({})",
    "max({}, 1)",
    "max({})",
    "count({})",
    "any({})",
    "sum({})",
    "({}",
)


@settings(max_examples=1000, deadline=None, derandomize=True)
@given(
    st.recursive(
        st.sampled_from(WORDS),
        lambda inner: st.one_of(
            st.tuples(inner, st.sampled_from(JOINTS), inner).map(" ".join),
            st.tuples(st.sampled_from(WRAPS), inner).map(lambda pair: pair[0].format(pair[1])),
        ),
        max_leaves=8,
    )
)
def test_any_text_is_read_or_refused_with_a_sentence(jets, text):
    with contextlib.suppress(SelectionError):
        assert len(select(jets, text)) <= len(jets)


def test_the_names_of_an_expression_are_listed_once():
    assert parse("pt > 1 & abs(eta) < pt / truth.pt").names == ("pt", "eta", "truth.pt")


def test_long_chains_are_read_without_deep_recursion(jets):
    assert kept(jets, " & ".join(["pt > 0"] * 60)).all()


@pytest.mark.parametrize(
    ("expression", "sentence"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ("pt >", "ends at character 5 .* a number, a name"),
        ("pt > 560 560", "Found '560' at character 10 .* an operator or the end"),
        ("(pt > 560", "ends at character 10 .* '\\)' was expected"),
        ("pt = 560", "Character 4 .* for equality write =="),
        ("pt > 5 ; import os", "Character 8"),
        ("__import__('os')", "no function '__import__' \\(character 1\\)"),
        ("maxx(pt, 1) > 0", "did you mean 'max'"),
        ("sqrt(pt, 2) > 0", "takes one value; found 2"),
        ("maas > 5", "no 'maas' \\(character 1\\) .* did you mean 'mass'"),
        ("pt.__class__ > 5", "no 'pt.__class__'"),
        ("top == 1", 'write label == "top"'),
        ("label == 'tpo'", "did you mean 'top'"),
        ("label > 'top'", "only be compared as label =="),
        ("pt == 'top'", "only be compared as label =="),
        ("'top'", "is a text"),
        ("pt + 5", "gives numbers"),
        ("pt & eta > 0", "'pt' is a number where yes or no"),
        ("(pt > 1) + (eta > 0) > 1", "stands yes or no where a number"),
        ("constituents.pt > 5", "several answers"),
        ("constituents > 5", "has the fields"),
        ("count(pt) > 5", "one list per entry"),
        ("any(constituents.pt)", "needs a condition"),
        ("source == 1", "holds no numbers"),
        ("max(constituents.pt + three) > 1", "lists of different lengths"),
        ("(" * 41 + "pt > 1" + ")" * 41, "deeper than 40"),
        ("-" * 60 + "pt > 1", "deeper than 40"),
        ("~" * 60 + "flag", "deeper than 40"),
        (" & ".join(["pt > 0"] * 80), "at most 250"),
        ("pt > " + "1" * 3000, "at most 2000"),
    ],
)
def test_what_cannot_be_read_has_its_sentence(jets, expression, sentence):
    with pytest.raises(SelectionError, match=sentence):
        select(jets, expression)


def test_showers_are_not_selected_by_expressions():
    showers = Showers(np.ones((3, 1, 1, 1)), np.ones(3), Geometry("photon", 1, 1, (0.0, 1.0)))
    with pytest.raises(SelectionError, match="keeps jets or events; found Showers"):
        select(showers, "incident > 5")
