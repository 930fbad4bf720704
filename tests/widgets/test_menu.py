"""What the menu of a pane offers, and the files that it makes."""

import io
import json
import re

import numpy as np
import pandas as pd
import pytest
from bokeh.document import Document
from bokeh.models import ColumnDataSource
from bokeh.plotting import figure

from tests.toys import toy_jets
from workbench.errors import DataError
from workbench.state.sample import SampleState
from workbench.widgets import export, menu
from workbench.widgets.menu import Menu
from workbench.widgets.panes import line, pane

MARKUP = "<img src=x onerror=alert(1)>"
TABLE = pd.DataFrame({"mass [GeV]": [80.4, 172.5], "class": ["W", "top"]})


def drawn():
    plot = figure(name="plot")
    plot.line("x", "y", source=ColumnDataSource({"x": np.arange(3.0), "y": np.arange(3.0) ** 2}))
    return plot


@pytest.fixture
def full():
    sample = SampleState()
    sample.take(toy_jets(20, 1), name=f"{MARKUP} ../Sample 1")
    made = Menu("mass", figure=drawn, data=lambda: TABLE, code=lambda: "print(1)\n", sample=sample)
    made.button("Jet mass")
    return made


def order(made):
    return made.delivery.courier.order


def test_a_menu_offers_only_what_its_pane_has():
    assert Menu("nowhere", data=lambda: TABLE).items == [menu.CSV, menu.PARQUET]
    assert Menu("mass").items == [menu.WHAT]


def test_the_button_of_a_pane_has_an_accessible_name():
    found = [
        widget.label
        for widget in pane("Jet mass", line("x"), menu=Menu("mass")).select()
        if hasattr(widget, "label")
    ]
    assert found == ["Menu of Jet mass"]


def test_the_check_stands_at_the_foot_of_the_pane():
    check = line("20 jets.")
    assert pane("Jet mass", line("x"), check=check).objects[-1] is check


def test_numbers_come_back_from_csv_and_parquet(full):
    full.choose(menu.CSV)
    pd.testing.assert_frame_equal(pd.read_csv(io.BytesIO(order(full)["content"])), TABLE)
    full.choose(menu.PARQUET)
    pd.testing.assert_frame_equal(pd.read_parquet(io.BytesIO(order(full)["content"])), TABLE)


def test_a_text_that_a_spreadsheet_would_run_gets_an_apostrophe():
    table = pd.DataFrame({"class": ["=1+1", "+x", "@y", "top"], "score": [-1.0, 2.0, 3.0, 4.0]})
    read = pd.read_csv(io.BytesIO(export.csv(table)))
    assert list(read["class"]) == ["'=1+1", "'+x", "'@y", "top"]
    assert list(read["score"]) == [-1.0, 2.0, 3.0, 4.0]


def test_names_of_files_carry_sample_and_pane_and_nothing_that_a_system_reads(full):
    full.choose(menu.CSV)
    assert order(full)["name"] == "img-src-x-onerror-alert-1-..-Sample-1-mass.csv"


@pytest.mark.parametrize("name", ["", "...", "/", "..", "\x00", "~", "Ünïcode/é", "a" * 500, "-rf"])
def test_any_text_gives_a_file_name_that_every_system_takes(name):
    made = export.file_name(name)
    assert re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._+-]*", made)
    assert len(made) <= export.LONGEST


def test_a_picture_is_asked_of_the_browser_by_the_ids_of_the_figures(full):
    full.choose("PNG, 4 × larger")
    asked = order(full)
    assert (asked["kind"], asked["scale"], len(asked["figures"])) == ("png", 4, 1)
    full.choose(menu.SVG)
    assert order(full)["kind"] == "svg"


def test_every_order_is_a_new_one_so_that_the_same_can_be_asked_twice(full):
    full.choose(menu.SVG)
    first = order(full)["id"]
    full.choose(menu.SVG)
    assert order(full)["id"] != first


def test_the_courier_comes_onto_the_page_with_the_first_order(full):
    assert len(full.delivery.place) == 0
    full.choose(menu.CSV)
    assert full.delivery.place[0] is full.delivery.courier


def test_a_page_of_figures_that_belong_to_another_document_needs_no_network():
    upper, lower = drawn(), drawn()
    document = Document()
    document.add_root(upper)
    document.add_root(lower)
    text = export.page([upper, lower], MARKUP).decode()
    outside = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)
    assert "http" not in outside
    assert MARKUP not in outside
    item = json.loads(re.search(r"embed_item\((.*), \"figures\"\)", text)[1].replace("<\\/", "</"))
    assert str(item).count("'name': 'Figure'") == 2
    assert document.roots == [upper, lower]


def test_a_script_in_the_data_cannot_end_the_script_of_the_page():
    plot = figure()
    plot.text(x=[0], y=[0], text=["</script><script>alert(1)</script>"])
    assert b"</script><script>alert" not in export.page([plot], "x")


def test_what_cannot_be_done_is_said(full):
    def fail():
        msg = f"There is no column {MARKUP}."
        raise DataError(msg)

    full.data = fail
    full.choose(menu.CSV)
    assert full.dialog.open
    assert "&lt;img" in full.dialog.objects[0].object


def test_a_picture_that_is_not_there_yet_is_said():
    made = Menu("mass", figure=lambda: None)
    made.button("Jet mass")
    made.choose("PNG")
    assert "no picture yet" in made.dialog.objects[0].object


def test_the_lines_of_python_are_shown_to_be_copied(full):
    full.choose(menu.PYTHON)
    area, copy = full.dialog.objects
    assert area.value == "print(1)\n"
    copy.clicks += 1
    assert (order(full)["kind"], order(full)["text"], copy.label) == ("copy", "print(1)\n", "Copied")


def test_what_is_this_tells_the_lesson_of_the_pane_and_of_the_tab_that_is_shown():
    made = Menu("performance", shown=lambda: "calibration")
    made.button("How well")
    made.choose(menu.WHAT)
    assert "AUC = P" in made.dialog.objects[0].object
    assert "ECE = " in made.dialog.objects[0].object
