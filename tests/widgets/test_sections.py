"""Sections: made when they are looked at, once, and only those take part in the page's beat."""

from types import SimpleNamespace

import panel as pn
import pytest

from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.jet_views import LESSON_OF_TAB
from workbench.widgets.sections import NAMES, SECTIONS, Sections


class Counting(pn.viewable.Viewer):
    """A viewer that counts its beats."""

    def __init__(self, analysis):
        super().__init__()
        self.analysis, self.beats = analysis, 0

    def beat(self):
        self.beats += 1

    def __panel__(self):
        return pn.Column()


def test_a_section_is_made_once_and_only_when_it_is_looked_at():
    analysis = SimpleNamespace()
    sections = Sections(analysis, pn.Column(), {"What if": Counting, "Trust": Counting})
    assert sections.made == {}
    sections.tabs.active = 2
    first = sections.made["Trust"]
    sections.beat()
    sections.tabs.active = 0
    sections.tabs.active = 2
    sections.beat()
    assert list(sections.made) == ["Trust"]
    assert sections.made["Trust"] is first
    assert (first.analysis, first.beats) == (analysis, 2)


def test_what_has_no_beat_is_left_alone():
    sections = Sections(SimpleNamespace(), pn.Column(), {"What if": lambda analysis: pn.Column()})
    sections.make("What if")
    sections.beat()


def test_every_section_has_a_name_of_its_own_in_a_link():
    assert len(set(NAMES)) == len(NAMES) == len(SECTIONS) + 1
    assert not set(NAMES) & set(LESSON_OF_TAB)


@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.name)
def test_every_section_is_a_viewer_of_an_analysis(section, analysis):
    assert isinstance(section(analysis), pn.viewable.Viewer)


@pytest.fixture
def analysis():
    sample = SampleState()
    made = Analysis(sample, SelectionState(sample), Errands())
    yield made
    made.errands.close()
