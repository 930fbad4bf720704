"""When the server looks for garbage."""

import asyncio
import gc
import weakref

import pytest
from bokeh.document import Document

from workbench.widgets import garbage
from workbench.widgets.garbage import Garbage


class Page:
    """Garbage that only the collector finds: it holds itself."""

    def __init__(self):
        self.itself = self


@pytest.fixture(autouse=True)
def _as_before():
    yield
    gc.unfreeze()
    gc.enable()


def left(found):
    """A page is opened and left, and time passes."""
    document = Document()
    found.came(document)

    async def leaves():
        (callback,) = document.session_destroyed_callbacks
        callback(None)
        await asyncio.sleep(0.05)

    return document, leaves


def test_nothing_is_collected_while_modules_are_imported_and_what_they_make_stays():
    found = Garbage()
    with found.importing():
        assert not gc.isenabled()
        module = Page()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0
    seen = weakref.ref(module)
    del module
    gc.collect()
    assert seen() is not None


def test_an_import_that_fails_leaves_the_collector_at_work():
    with pytest.raises(ImportError), Garbage().importing():
        raise ImportError
    assert gc.isenabled()


def test_a_page_that_was_open_during_an_import_goes_with_the_last_page(monkeypatch):
    monkeypatch.setattr(garbage, "LATER", 0.0)
    found, page = Garbage(), Page()
    (_, first), (_, second) = left(found), left(found)
    with found.importing():
        pass
    seen = weakref.ref(page)
    del page
    asyncio.run(first())
    assert seen() is not None
    asyncio.run(second())
    assert seen() is None
    assert gc.get_freeze_count() > 0


def test_pages_that_are_left_while_modules_are_imported_wait_and_hold_nobody_up(monkeypatch):
    monkeypatch.setattr(garbage, "LATER", 0.01)
    found, collected = Garbage(), []
    monkeypatch.setattr(gc, "collect", lambda: collected.append(True))
    (_, first), (_, second) = left(found), left(found)

    async def both():
        with found.importing():
            await first()
            await second()
            assert collected == []
        await asyncio.sleep(0.1)

    asyncio.run(both())
    assert collected == [True]


def test_a_page_that_came_later_goes_when_it_is_left(monkeypatch):
    monkeypatch.setattr(garbage, "LATER", 0.0)
    found = Garbage()
    (_, first), (_, _) = left(found), left(found)
    with found.importing():
        pass
    page = Page()
    seen = weakref.ref(page)
    gc.disable()
    del page
    asyncio.run(first())
    assert seen() is None
