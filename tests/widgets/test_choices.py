"""What is chosen on a page stands in its link, and a link chooses it again."""

import panel_material_ui as pmui
import pytest

from workbench.widgets.choices import Choices, chosen, written


def widgets():
    return {
        "degree": pmui.Select(label="Degree", options={"up to 4": 4, "up to 5": 5}, value=4),
        "names": pmui.MultiChoice(label="Names", options=["mass", "pt", "tau21"], value=["mass"]),
        "own": pmui.Switch(label="Own scales", value=False),
        "neighbours": pmui.IntSlider(label="Neighbours", start=1, end=24, value=7),
    }


CHANGED = {"degree": 5, "names": ["tau21", "pt"], "own": True, "neighbours": 3}
TEXTS = ["degree:5", "names:tau21,pt", "own:yes", "neighbours:3"]


def test_only_what_is_not_usual_stands_in_the_link():
    choices, made = Choices(), widgets()
    assert choices.offer(made) == []
    assert choices.texts() == []
    for name, value in CHANGED.items():
        made[name].value = value
    assert choices.texts() == sorted(TEXTS)
    made["names"].value = []
    assert "names:" in choices.texts()


def test_a_link_chooses_again_what_was_chosen():
    choices, made = Choices(), widgets()
    choices.read([*TEXTS[:1], "names:", *TEXTS[2:]])
    assert choices.offer(made) == []
    assert {name: widget.value for name, widget in made.items()} == {**CHANGED, "names": []}
    choices.read(TEXTS)
    choices.offer(made)
    assert {name: widget.value for name, widget in made.items()} == CHANGED
    assert choices.texts() == sorted(TEXTS)


def test_what_is_made_or_filled_later_gets_its_choice_then_and_is_not_lost_from_the_link():
    choices, late = Choices(), pmui.Select(label="Network", options=[])
    choices.read(["network:run:1", "degree:5"])
    assert choices.texts() == ["degree:5", "network:run:1"]
    choices.offer({"network": late})
    assert choices.texts() == ["degree:5", "network:run:1"]
    late.param.update(options={"A": "run:0", "B": "run:1"}, value="run:0")
    choices.offer({"network": late, **widgets()})
    assert late.value == "run:1"
    assert sorted(choices.texts()) == ["degree:5", "network:run:1"]


def test_a_user_who_chooses_after_the_link_is_left_alone():
    choices, made = Choices(), widgets()
    choices.read(["degree:5"])
    choices.offer(made)
    made["degree"].value = 4
    choices.offer(made)
    assert made["degree"].value == 4
    assert choices.texts() == []


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("degree:9", "“Degree” cannot be '9'"),
        ("names:mass,<b>", "“Names” cannot be '<b>'"),
        ("own:maybe", "“Own scales” cannot be 'maybe'"),
        ("neighbours:25", "whole number from 1 to 24"),
        ("neighbours:٣", "whole number from 1 to 24"),
    ],
)
def test_what_cannot_be_chosen_is_said_and_nothing_changes(text, sentence):
    choices, made = Choices(), widgets()
    before = {name: written(widget) for name, widget in made.items()}
    choices.read([text])
    (notice,) = choices.offer(made)
    assert sentence in notice
    assert {name: written(widget) for name, widget in made.items()} == before
    assert choices.texts() == []


@pytest.mark.parametrize("name", list(CHANGED))
def test_what_is_written_is_read_as_the_same(name):
    widget = widgets()[name]
    widget.value = CHANGED[name]
    assert chosen(widgets()[name], written(widget)) == CHANGED[name]
