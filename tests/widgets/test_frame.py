"""The frame of all pages: chips, share, teaching, and colours that can be read."""

import gc
import html
import weakref
from types import SimpleNamespace

import numpy as np
import panel as pn
import panel_material_ui as pmui
import pytest

from tests.toys import toy_jets
from workbench.progress import Outcome
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.state.teaching import HIDDEN, Teaching
from workbench.views.palette import OKABE_ITO
from workbench.widgets import theme
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.frame import Frame, RunChip, SampleChip
from workbench.widgets.opening import PRODUCT
from workbench.widgets.panes import line

MARKUP = "<img src=x onerror=alert(1)>"


@pytest.fixture
def sample():
    return SampleState()


@pytest.fixture
def analysis(sample):
    errands = Errands()
    yield Analysis(sample, SelectionState(sample), errands)
    errands.close()


@pytest.mark.parametrize("room", theme.ROOMS)
@pytest.mark.parametrize(("text", "ground"), theme.PAIRS)
def test_every_text_reads_on_its_ground(room, text, ground):
    colours = theme.colours(room)
    assert theme.contrast(colours[text], colours[ground]) >= 4.5


def test_the_contrast_is_that_of_the_formula():
    assert theme.contrast("#000000", "#FFFFFF") == pytest.approx(21)
    assert theme.contrast("#777777", "#FFFFFF") == pytest.approx(4.48, abs=0.01)


@pytest.mark.parametrize("room", theme.ROOMS)
@pytest.mark.parametrize("colour", OKABE_ITO[:4])
def test_the_marks_of_the_first_four_classes_stand_out_from_the_pane_or_have_a_hatch(room, colour):
    # WCAG asks 3:1 of graphics; orange on white has 2.3, which is why every class has a hatch or an outline too.
    assert theme.contrast(colour, theme.colours(room)["pane"]) >= 2.2


def test_the_sample_chip_says_name_number_and_origin(sample, analysis):
    chip = SampleChip(sample, analysis.errands)
    assert chip.button.label == "No sample yet"
    sample.take(toy_jets(1200, 1), name="My sample")
    assert chip.button.label.startswith("My sample · 1,200 jets · ")


def test_the_card_of_the_sample_has_its_fingerprint_and_keeps_markup_as_text(sample, analysis):
    chip = SampleChip(sample, analysis.errands)
    sample.take(toy_jets(20, 1), name=MARKUP)
    chip.open()
    assert chip.place[0].open
    # Nobody asked for it before, and it is not made in the thread of the page.
    assert "Fingerprint …" in html.unescape(chip.body.object)
    while analysis.errands.waiting:
        analysis.errands.collect()
    assert sample.jets.fingerprint in html.unescape(chip.body.object)
    assert "<img" not in chip.body.object


def test_the_run_chip_says_network_seed_and_area_with_its_error(sample, analysis):
    curve = SimpleNamespace(auc=0.98123, auc_error=0.0021)
    chip = RunChip(analysis, lambda: curve)
    assert chip.button.label == "No network yet"
    engine = SimpleNamespace(network="particlenet-lite")
    analysis.fitted = SimpleNamespace(
        classes=("QCD", "top"),
        parameters=5,
        seed=7,
        outcome=Outcome.FINISHED,
        engine=engine,
        card={"threads": 1},
    )
    analysis.title, analysis.scores = "particlenet-lite", np.zeros((2, 2))
    assert chip.button.label == "particlenet-lite, seed 7 · AUC 0.981 ± 0.002"
    chip.open()
    assert "threads: 1" in chip.body.object


def test_truth_is_hidden_while_teaching_until_it_is_revealed():
    teaching = Teaching()
    assert teaching.told("top") == "top"
    teaching.on = True
    assert teaching.told("top") == HIDDEN
    teaching.revealed = True
    assert teaching.told("top") == "top"
    teaching.param.update(on=False)
    teaching.param.update(on=True)
    assert teaching.told("top") == HIDDEN


def test_the_switch_and_the_state_of_teaching_follow_each_other():
    frame = Frame(main=[line("x")])
    frame.switch.value = True
    assert frame.teaching.on
    assert frame.browser.teaching
    assert frame.reveal.visible
    frame.reveal.clicks += 1
    assert frame.teaching.revealed
    assert frame.reveal.label == "Hide the truth"
    frame.teaching.on = False
    assert not frame.switch.value


def test_share_copies_the_address_and_says_so():
    frame = Frame(main=[line("x")])
    frame.share.clicks += 1
    assert frame.delivery.courier.order["kind"] == "copy"
    assert "text" not in frame.delivery.courier.order
    assert frame.share.label == "Copied"


def test_a_page_that_is_not_shared_has_no_button_for_it():
    frame = Frame(main=[line("x")], share=False)
    assert frame.share not in frame.header.objects


def test_the_question_mark_lists_the_keys():
    frame = Frame(main=[line("x")])
    frame.keys.press("?")
    frame.keys_card.open = False
    frame.keys.press("?")
    assert frame.keys_card.open


def test_the_bar_on_top_says_that_something_is_done():
    errands = Errands()
    frame = Frame(main=[line("x")], errands=errands)
    assert frame.bar.sx == {"display": "none"}
    errands.doing = "measuring the jets"
    assert frame.bar.sx == {}
    assert frame.doing.object == "measuring the jets"
    errands.doing = ""
    assert frame.bar.sx == {"display": "none"}
    errands.close()


def test_a_page_that_is_left_is_kept_by_nobody():
    frame = Frame(main=[line("x")])
    left, watchers = (
        weakref.ref(frame.on_page("Jets")),
        len(pn.state.param.watchers.get("busy", {}).get("value", [])),
    )
    del frame
    gc.collect()
    assert left() is None
    Frame(main=[line("x")]).on_page("Jets")
    assert len(pn.state.param.watchers.get("busy", {}).get("value", [])) == watchers


def test_the_page_is_named_and_its_product_leads_to_the_index():
    frame = Frame(main=[line("x")], sidebar=[line("1  Data")])
    page = frame.on_page("Jets")
    assert (page.title, page.site_url) == (PRODUCT, "index")
    assert page.meta.title == f"Jets – {PRODUCT}"


def test_every_control_of_the_header_has_a_name():
    frame = Frame(main=[line("x")])
    controls = (
        frame.on_page("Jets").header[0].select(lambda part: isinstance(part, pmui.Button | pmui.Switch))
    )
    assert controls
    assert all(control.label for control in controls)
