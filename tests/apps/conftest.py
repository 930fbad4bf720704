"""Fixtures of the browser tests."""

import pytest

from tests.apps.browser import chromium


@pytest.fixture(scope="module")
def browser():
    with chromium() as opened:
        yield opened
