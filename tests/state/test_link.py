"""What a link carries: round trips, and a sentence for everything that cannot be used."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.toys import toy_jets
from workbench.errors import DataError
from workbench.state.address import VERSION
from workbench.state.link import LinkState
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState

KNOWN = {"sample": ["jets", "jets-vincia"], "network": ["tagger"], "rule": ["epsilon", "zero"]}


@pytest.fixture
def page():
    sample = SampleState()
    sample.take(toy_jets(40, seed=2), "jets", id="jets")
    return sample, SelectionState(sample)


def view(link):
    return {name: getattr(link, name) for name in link.param if name not in {"name", "notices"}}


def test_a_link_opens_the_same_view(page):
    sample, selection = page
    sample.choose("pt > 560 & abs(eta) < 1")
    selection.show("top")
    selection.brush("mass", 12.5, 180)
    selection.order("mass", descending=False)
    selection.pick(17)
    link = LinkState(KNOWN, network="tagger", rule="epsilon")
    link.capture(sample, selection)

    other = SampleState()
    other.take(sample.jets, "jets", id="jets")
    opened = SelectionState(other)
    received = LinkState(KNOWN)
    received.read(link.write())
    received.apply(other, opened)
    assert received.notices == []
    assert view(received) == view(link)
    assert (opened.mask == selection.mask).all()
    assert (opened.current, opened.by, opened.descending) == (17, "mass", False)


def test_an_empty_address_is_the_default_view_without_notice():
    link = LinkState(KNOWN, jet=3)
    link.read("")
    assert view(link) == view(LinkState())
    assert link.notices == []
    assert LinkState().write() == f"?v={VERSION}"


@given(
    expression=st.text(max_size=60),
    classes=st.lists(st.text(min_size=1, max_size=8), max_size=3),
    span=st.tuples(st.floats(allow_nan=False), st.floats(allow_nan=False)).map(sorted),
    jet=st.none() | st.integers(0, 10**15),
    descending=st.booleans(),
)
def test_whatever_is_written_is_read_back(expression, classes, span, jet, descending):
    link = LinkState(
        expression=expression,
        classes=classes,
        ranges={"mass": tuple(span)},
        jet=jet,
        by="pt",
        descending=descending,
    )
    received = LinkState()
    received.read(link.write())
    assert received.notices == []
    assert view(received) == view(link)


@given(st.text(max_size=200))
def test_any_text_is_an_address_that_can_be_read(text):
    LinkState(KNOWN).read(text)
    LinkState(KNOWN).read(f"?v={VERSION}&" + text)


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("?v=2&jet=3", "version 2 and this page reads version 1"),
        ("?jet=3", "no version"),
        ("?v=1&jet=-3", "not a whole number"),
        ("?v=1&jet=3.5", "not a whole number"),
        ("?v=1&jet=9999999999999999999999", "not a whole number"),
        ("?v=1&range=mass:5:1", "low <= high"),
        ("?v=1&range=mass:nan:1", "low <= high"),
        ("?v=1&range=mass:5", "low <= high"),
        ("?v=1&network=taggr", "did you mean 'tagger'"),
        ("?v=1&rules=zero", "did you mean 'rule'"),
        ("?v=1&select=" + "x" * 5000, "longer than 4000"),
    ],
)
def test_what_cannot_be_read_is_said_and_left_out(query, sentence):
    link = LinkState(KNOWN)
    link.read(query)
    assert len(link.notices) == 1
    assert sentence in link.notices[0]
    assert (link.jet, link.ranges, link.network, link.rule) == (None, {}, "", "")


def test_the_good_pieces_of_a_bad_link_hold(page):
    sample, selection = page
    link = LinkState(KNOWN)
    link.read("?v=1&jet=4000&class=top&class=Higs&range=mas:0:1&range=pt:0:600&order=-nothing&select=pt+%3E")
    assert link.notices == []
    link.apply(sample, selection)
    assert len(link.notices) == 5
    assert selection.classes == ["top"]
    assert selection.ranges == {"pt": (0.0, 600.0)}
    assert selection.current is None
    assert sample.expression == ""


def test_what_is_still_being_made_is_waited_for_and_stays_in_the_link(page):
    sample, selection = page
    link = LinkState(KNOWN)
    link.read("?v=1&sample=jets&range=tau32:0.1:0.5&range=score:0.5:1.0&order=-loss")
    link.apply(sample, selection)
    assert (link.notices, selection.ranges, selection.by) == ([], {}, "")
    link.capture(sample, selection)
    assert set(link.ranges) == {"tau32", "score"}
    assert link.by == "loss"
    sample.add(tau32=np.linspace(0, 1, 40))
    link.resume(sample, selection)
    assert selection.ranges == {"tau32": (0.1, 0.5)}
    sample.add(score=np.linspace(0, 1, 40), loss=np.linspace(1, 0, 40))
    link.resume(sample, selection)
    assert selection.ranges == {"tau32": (0.1, 0.5), "score": (0.5, 1.0)}
    assert (selection.by, selection.descending) == ("loss", True)
    link.forget()
    link.capture(sample, selection)
    assert set(link.ranges) == {"tau32", "score"}


def test_a_name_can_be_checked_by_what_knows_it():
    def check(text):
        if text != "file:data/top.h5":
            msg = "There is no such file."
            raise DataError(msg)

    link = LinkState({"sample": check})
    link.read("?v=1&sample=file:data/top.h5&view=x-y&beside=jets")
    assert (link.sample, link.view, link.beside, link.notices) == ("file:data/top.h5", "x-y", "jets", [])
    link.read("?v=1&sample=file:../etc/passwd&jet=2")
    assert (link.sample, link.jet, link.notices) == ("", 2, ["There is no such file."])


def test_the_theme_that_the_frame_reads_is_no_part_of_the_view():
    link = LinkState(KNOWN)
    link.read("?v=1&jet=3&theme=dark")
    assert (link.jet, link.notices) == (3, [])
    link.read("?theme=dark")
    assert link.notices == []
    assert "theme" not in link.write()


def test_shown_distributions_open_tabs_and_cuts_go_through_the_address():
    link = LinkState(
        KNOWN, shown=["mass", "tau21"], tabs=["image"], display=["pt_min:2", "kinds:photon|muon"]
    )
    received = LinkState({**KNOWN, "tab": ["image", "graph"]})
    received.read(link.write())
    assert (received.shown, received.tabs, received.display) == (link.shown, link.tabs, link.display)
    received.read("?v=1&tab=no+such")
    assert (received.shown, received.tabs, received.display) == ([], [], [])
    assert "There is no tab 'no such'" in received.notices[0]
