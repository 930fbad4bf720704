"""Text on its way to a page."""

import pytest

from workbench.widgets.text import duration, safe_text, time_left, with_error


def test_markup_stays_text():
    assert safe_text("<img src=x onerror=alert(1)>") == "&lt;img src=x onerror=alert(1)&gt;"
    assert safe_text("a 'b' \"c\" & d") == "a &#x27;b&#x27; &quot;c&quot; &amp; d"


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.98123, 0.0034, "0.981 ± 0.003"),
        (0.98123, 0.0014, "0.9812 ± 0.0014"),
        (412.3, 37.2, "412 ± 37"),
        (33.4, 4.2, "33 ± 4"),
        (float("nan"), 1.0, "not known"),
    ],
)
def test_a_value_has_as_many_digits_as_its_error(value, error, text):
    assert with_error(value, error) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (3900, "1 h 05 min"), (-1, "0 s")],
)
def test_durations_are_words(seconds, text):
    assert duration(seconds) == text


def test_time_left_is_said_only_where_it_is_known():
    assert time_left(8.2) == ", 8 s left"
    assert time_left(float("nan")) == time_left(float("inf")) == ""
