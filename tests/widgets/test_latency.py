"""The change of Panel's private waiting time: a new Panel that renames it is noticed here."""

from panel.reactive import Syncable

from workbench.widgets.latency import DEBOUNCE, PRIVATE, hasten


def test_panel_still_waits_where_we_shorten_it():
    assert isinstance(vars(Syncable).get(PRIVATE), int), f"Panel no longer has Syncable.{PRIVATE}"
    assert hasten()
    assert vars(Syncable)[PRIVATE] == DEBOUNCE


def test_a_panel_without_the_name_is_left_alone(monkeypatch):
    monkeypatch.delattr(Syncable, PRIVATE)
    assert not hasten()
    assert not hasattr(Syncable, PRIVATE)
