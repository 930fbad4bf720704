"""Keys of the page reach who watches them."""

import pytest

from workbench.widgets.keys import KEYS, Keys


@pytest.mark.parametrize("key", KEYS)
def test_a_key_from_the_browser_is_told_to_who_watches(key):
    keys, heard = Keys(), []
    keys.param.watch(lambda event: heard.append(keys.key), "pressed")
    keys._handle_msg({"key": key})
    keys._handle_msg({"key": key})
    assert heard == [key, key]


def test_a_key_that_is_not_listed_is_not_told():
    keys, heard = Keys(), []
    keys.param.watch(heard.append, "pressed")
    keys._handle_msg({"key": "<img>"})
    keys._handle_msg({})
    assert heard == []
