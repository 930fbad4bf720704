"""What the addresses of all pages have in common."""

import pytest

from workbench.state.display_link import DisplayLink
from workbench.state.link import LinkState
from workbench.state.runs import RunsState


@pytest.mark.parametrize("state", [LinkState, RunsState, DisplayLink])
@pytest.mark.parametrize("query", ["?theme=dark", "?v=1&theme=dark", "?v=1", ""])
def test_what_an_address_says_to_the_frame_is_no_matter_of_any_view(state, query):
    read = state()
    read.read(query)
    assert read.notices == []
    assert read.write() == state().write()
