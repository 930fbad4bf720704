"""What is drawn first, and what waits until it is."""

import pytest

from workbench.widgets import pulse
from workbench.widgets.pulse import Pulse


@pytest.fixture
def done():
    return []


@pytest.fixture
def served(monkeypatch):
    monkeypatch.setattr(pulse, "served", lambda: True)


def test_in_a_cell_nothing_waits(done):
    Pulse().then(lambda: done.append("rows"))
    assert done == ["rows"]


@pytest.mark.usefixtures("served")
def test_on_a_page_the_rest_waits_until_the_browser_has_drawn_and_is_done_once(done):
    made = Pulse()
    made.then(lambda: done.append("rows"))
    made.beat()
    assert done == []
    made.drawn = made.asked
    assert done == ["rows"]
    made.ask()
    made.drawn = made.asked
    made.beat()
    assert done == ["rows"]


@pytest.mark.usefixtures("served")
def test_of_several_only_the_last_is_done_and_not_before_its_own_change_is_drawn(done):
    made = Pulse()
    made.then(lambda: done.append("first"))
    before = made.asked
    made.then(lambda: done.append("second"))
    made.drawn = before
    assert done == []
    made.drawn = made.asked
    assert done == ["second"]


@pytest.mark.usefixtures("served")
def test_a_browser_that_never_answers_does_not_keep_the_rest_for_ever(done, monkeypatch):
    made = Pulse()
    made.then(lambda: done.append("rows"))
    monkeypatch.setattr(pulse, "PATIENCE", -1.0)
    made.beat()
    assert done == ["rows"]
