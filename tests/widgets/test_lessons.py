"""Every pane of every page teaches something, and nothing is taught that no pane shows."""

import ast
from pathlib import Path

import pytest

from workbench.widgets import distributions, jet_views, performance
from workbench.widgets.lessons import LESSONS
from workbench.widgets.menu import drawer, explained

WIDGETS = Path(distributions.__file__).parent


def named():
    """Yields the names of all menus in the source, where they stand as text."""
    for path in WIDGETS.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            called = getattr(node, "func", None)
            name = getattr(called, "id", getattr(called, "attr", ""))
            if name in {"Menu", "_menu"} and node.args and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value


PANES = {
    *named(),
    *distributions.SHOWN,
    "score",
    *jet_views.LESSON_OF_TAB,
    *performance.LESSON_OF_TAB,
}


@pytest.mark.parametrize("name", sorted(PANES))
def test_every_pane_has_a_lesson(name):
    assert name in LESSONS


@pytest.mark.parametrize("name", sorted(LESSONS))
def test_every_lesson_has_a_pane(name):
    assert name in PANES


@pytest.mark.parametrize("name", sorted(LESSONS))
def test_a_lesson_is_two_sentences_a_formula_and_a_question_with_an_answer(name):
    lesson = LESSONS[name]
    assert lesson.what.endswith(".")
    assert lesson.why.endswith(".")
    assert lesson.question.rstrip().endswith(("?", "."))
    assert "?" in lesson.question
    assert lesson.answer.endswith((".", "%"))
    assert lesson.formula
    assert "\n" not in lesson.formula


def test_the_answer_is_folded_away_and_the_drawer_waits_for_the_teaching_switch():
    lesson = LESSONS["mass"]
    text = explained(lesson)
    assert text.index("<details>") < text.index("66 GeV")
    assert "<details open" not in text
    assert "display: var(--wb-teaching, none)" in drawer(lesson)


def test_a_formula_with_signs_of_markup_stays_text():
    assert "min(pT₁, pT₂)/(pT₁ + pT₂) &gt; z_cut" in explained(LESSONS["sd_mass"])
