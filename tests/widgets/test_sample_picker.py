"""Step 1 of a page: bundled samples, files, uploads, simulations and the second sample, by their ids; nothing runs, nothing leaks."""

import html
import time

import numpy as np
import param
import pytest
from bokeh.core.json_encoder import serialize_json
from bokeh.document import Document

import workbench as wb
from tests.patience import settle
from tests.toys import toy_jets
from workbench.data import parquet
from workbench.errors import DataError
from workbench.jobs.job import Job
from workbench.state.comparison import ComparisonState
from workbench.state.files import Files, Uploads
from workbench.state.sample import SampleState
from workbench.state.selection import SelectionState
from workbench.widgets import code
from workbench.widgets.analysis import Analysis
from workbench.widgets.errands import Errands
from workbench.widgets.networks import PLANTED as PLANTED_NETWORK
from workbench.widgets.networks import Networks
from workbench.widgets.sample_picker import KEPT, PLANTED, SamplePicker
from workbench.widgets.simulation_form import MOST_OF_LINK, field, from_key, source_of, to_key

MARKUP = "<img src=x onerror=alert(1)>"


class Page:
    """A picker with its states, a folder of files, and uploads up to 1 MB."""

    def __init__(self, folder):
        self.sample, self.errands = SampleState(), Errands()
        self.selection = SelectionState(self.sample)
        self.comparison = ComparisonState(self.selection)
        self.picker = SamplePicker(
            self.sample, self.selection, self.errands, self.comparison,
            files=Files([folder]), uploads=Uploads(1),
        )  # fmt: skip
        self.browser = self.picker.browser

    def settle(self):
        ends = time.monotonic() + 60
        while (self.errands.doing or self.picker._wanted) and time.monotonic() < ends:
            self.errands.collect()
            self.picker.beat()
            time.sleep(0.01)
        assert (self.errands.doing, self.errands.error) == ("", "")

    def told(self):
        return html.unescape(self.browser.told.object)


@pytest.fixture
def folder(tmp_path):
    inside = tmp_path / "data"
    (inside / "runs").mkdir(parents=True)
    parquet.write(toy_jets(60, 3), inside / "runs" / "toys.parquet")
    (inside / "notes.txt").write_text("no physics")
    (inside / f"{MARKUP.replace('/', '')}.txt").write_text("markup")
    (tmp_path / "outside.parquet").write_bytes((inside / "runs" / "toys.parquet").read_bytes())
    return inside


@pytest.fixture
def page(folder):
    made = Page(folder)
    yield made
    made.picker.close()
    made.errands.close()


def labels(page):
    return [item["label"] for item in page.browser.entries.items]


def test_a_folder_is_walked_and_a_file_of_it_read(page):
    assert labels(page)[0] == "runs/"
    page.browser._on_entry({"label": "runs/"})
    assert labels(page) == ["↑ up", "toys.parquet"]
    page.browser._on_entry({"label": "toys.parquet"})
    page.browser.begin()
    page.settle()
    assert page.told() == "Workbench Parquet: All 60 jets of the file were read."
    assert page.sample.id == page.picker.choice.value == "file:data/runs/toys.parquet"
    assert page.sample.jets.fingerprint == toy_jets(60, 3).fingerprint
    page.browser._on_entry({"label": "↑ up"})
    assert labels(page)[0] == "runs/"


def test_the_rows_that_are_wanted_are_read_and_are_part_of_the_id(page):
    page.browser.choose("data/runs/toys.parquet")
    page.browser.start.value, page.browser.end.value = 10, 30
    page.browser.begin()
    page.settle()
    assert "The jets 10 to 30 were read of 60" in page.told()
    assert page.sample.id == "file:data/runs/toys.parquet|start=10|stop=30"
    other = Page(next(iter(page.picker.files.folders.values())))
    other.picker.open(page.sample.id)
    other.settle()
    assert other.sample.jets.fingerprint == page.sample.jets.fingerprint
    other.errands.close()


def test_a_search_lists_files_of_all_sub_folders(page):
    page.browser.search.value = "TOYS"
    page.settle()
    assert labels(page) == ["↑ up", "data/runs/toys.parquet"]
    page.browser._on_entry({"label": "data/runs/toys.parquet"})
    assert page.browser.chosen == "data/runs/toys.parquet"


def test_a_file_of_no_known_format_leaves_the_sample_as_it_is(page):
    page.picker.take(toy_jets(5, 1))
    page.browser.choose("data/notes.txt")
    page.browser.begin()
    page.settle()
    assert "notes.txt is a text file" in page.told()
    assert len(page.sample) == 5


def test_jets_of_planted_truth_are_a_sample_that_the_network_wired_by_hand_tells_apart(page):
    page.picker.check(PLANTED)
    page.picker.open(PLANTED)
    page.settle()
    analysis = Analysis(page.sample, page.selection, page.errands)
    networks = Networks(analysis, page.errands, page.picker.files)
    networks.check(PLANTED_NETWORK)
    networks.open(PLANTED_NETWORK, pytest.fail)
    page.settle()
    assert networks.name == PLANTED_NETWORK
    jets = page.sample.jets
    np.testing.assert_array_equal(np.argmax(np.asarray(analysis.scores), axis=1), jets.label)
    made = {}
    exec(code.lines(page.sample, None, *analysis.lines), made)
    assert made["jets"].fingerprint == jets.fingerprint
    np.testing.assert_array_equal(np.asarray(made["tagger"].score(jets)), np.asarray(analysis.scores))


@pytest.mark.parametrize(
    "id",
    [
        "file:data/../outside.parquet",
        "file:/etc/passwd",
        "file:data/runs",
        "file:data/none.parquet",
        "file:data/notes.txt|stop=x",
        "upload:upload-1/mine.parquet",
        "simulated:0123456789abcdef",
        "tagger",
        "jets-vinca",
        MARKUP,
    ],
)
def test_an_id_that_cannot_be_opened_is_refused_before_anything_is_read(page, id):
    with pytest.raises(DataError):
        page.picker.check(id)
    with pytest.raises(DataError):
        page.picker.open(id)
    with pytest.raises(DataError):
        page.picker.open_beside(id)
    assert page.errands.doing == ""


ASKED = {"processes": ["QCD", "top"], "n": 20, "seed": 3, "pt": (600.0, 700.0), "tune": "Monash"}


def test_a_link_simulates_the_very_jets_again(page, folder):
    jets = wb.simulate.jets(**ASKED)
    page.picker.take_simulated(jets, "made", to_key(ASKED, len(jets)), source_of(ASKED, 20))
    other = Page(folder)
    other.picker.open(page.sample.id)
    other.settle()
    assert other.sample.jets.fingerprint == jets.fingerprint
    assert other.sample.source == page.sample.source
    assert eval(other.sample.source, {"wb": wb}).fingerprint == jets.fingerprint
    assert other.sample.id in other.picker.second.options.values()
    other.picker.close()
    other.errands.close()


def test_the_key_of_a_simulation_is_its_settings_and_of_a_stopped_one_it_is_none():
    assert from_key(to_key(ASKED, 20)) == ASKED
    with pytest.raises(DataError, match="not kept"):
        from_key(to_key(ASKED, 19))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"n": MOST_OF_LINK + 1}, "at most 20,000"),
        ({"n": 0}, "at most 20,000"),
        ({"n": "20"}, "not kept"),
        ({"n": True}, "not kept"),
        ({"seed": None}, "not kept"),
        ({"processes": []}, "not kept"),
        ({"processes": [MARKUP]}, "not kept"),
        ({"processes": "QCD"}, "not kept"),
        ({"cores": 1_000_000}, "not kept"),
        ({"report": "x"}, "not kept"),
        ({"urgent": True}, "not kept"),
        ({"name": "x"}, "not kept"),
        ({"n": 2_000, "pileup": 200}, "2,000 jets with 200 further collisions"),
        ({"pileup": "x"}, "not kept"),
    ],
)
def test_a_link_that_asks_for_what_no_page_simulates_is_refused(change, sentence):
    with pytest.raises(DataError, match=sentence):
        from_key(to_key({**ASKED, **change}, ASKED["n"] if "n" not in change else change["n"]))


@pytest.mark.parametrize("change", [{"tune": "loud"}, {"pt": (5.0, 6.0)}, {"loudness": 3}])
def test_settings_that_the_simulation_refuses_are_said_and_the_page_lives_on(page, change):
    page.picker.take(toy_jets(5, 1))
    page.picker.open(f"simulated:{to_key({**ASKED, **change}, 20)}")
    page.settle()
    told = html.unescape(page.picker.told.object)
    assert told.startswith("The link's sample could not be simulated. ")
    assert next(iter(change)) in told
    assert "Traceback" not in told
    assert len(page.sample) == 5


def test_where_a_link_s_simulation_fails_the_page_has_its_usual_sample(page):
    page.picker.open(f"simulated:{to_key({**ASKED, 'tune': 'loud'}, 20)}")
    page.settle()
    assert page.sample.id == "jets"


def test_a_simulation_that_is_no_longer_wanted_is_stopped(page, monkeypatch):
    jobs = []

    def begun(asked, owner):
        jobs.append(Job("simulation", owner=owner, note={"asked": asked}))
        return jobs[-1]

    monkeypatch.setattr("workbench.widgets.sample_picker.begun", begun)
    page.picker.open(f"simulated:{to_key(ASKED, 20)}")
    settle(page.errands)
    assert [job.status for job in jobs] == ["queued"]
    page.picker.open("jets")
    page.settle()
    assert jobs[0].status == "stopped"
    assert page.sample.id == "jets"
    page.picker.open_beside(f"simulated:{to_key(ASKED, 20)}")
    settle(page.errands)
    page.picker.close()
    assert jobs[1].status == "stopped"


def test_a_simulation_found_again_among_the_jobs_can_be_linked_too(page):
    job = Job("simulation", note={"asked": ASKED})
    page.picker.take_job(job, toy_jets(20, 3))
    assert from_key(page.sample.id.removeprefix("simulated:")) == ASKED
    assert page.sample.source == source_of(ASKED, 20)
    page.picker.take_job(job, toy_jets(7, 3))
    assert page.sample.source == ""


def test_a_second_sample_stays_in_its_list_when_others_are_made(page):
    page.picker.open_beside("file:data/runs/toys.parquet")
    page.settle()
    page.picker.take_simulated(toy_jets(4, 1), "made", "1")
    assert page.picker.second.value == page.comparison.reference.id == "file:data/runs/toys.parquet"
    page.picker.second.value = ""
    assert page.comparison.reference is None


def test_simulations_of_one_name_both_stay_in_the_list(page):
    for key in ("1", "2"):
        page.picker.take_simulated(toy_jets(4, int(key)), "made", key)
    listed = page.picker.choice.options
    assert listed["Simulated: made"] == "simulated:1"
    assert listed["Simulated: made (2)"] == "simulated:2"


def test_an_upload_is_read_under_its_own_name_and_no_link_opens_it_elsewhere(page, folder):
    content = (folder / "runs" / "toys.parquet").read_bytes()
    page.browser.keep("C:\\fake\\mine.parquet", content)
    page.settle()
    assert page.sample.id.startswith("upload:")
    assert "mine.parquet" in page.sample.name
    assert page.sample.source == ""
    page.picker.check(page.sample.id)
    with pytest.raises(DataError, match="not kept"):
        Page(folder).picker.check(page.sample.id)
    kept = page.picker.uploads._folder
    page.picker.close()
    assert not kept.exists()


@pytest.mark.parametrize(
    ("content", "sentence"), [(b"", "is empty"), (b"x" * 1_000_001, "at most 1 MB"), (b"PAR1xx", "damaged")]
)
def test_a_wrong_upload_is_refused_with_a_sentence(page, content, sentence):
    page.browser.keep("a.parquet", content)
    assert sentence in page.told()
    assert page.errands.doing == ""


def test_the_second_sample_is_chosen_and_taken_away(page):
    page.picker.take_simulated(toy_jets(40, 5), "made", "ab12")
    page.picker.take(toy_jets(30, 6))
    page.picker.second.value = "simulated:ab12"
    assert (page.comparison.reference.name, page.comparison.reference.id) == ("made", "simulated:ab12")
    page.picker.second.value = ""
    assert page.comparison.reference is None


def test_the_choice_follows_whoever_opens_a_sample(page):
    page.picker.open("file:data/runs/toys.parquet")
    page.settle()
    assert page.picker.choice.value == "file:data/runs/toys.parquet"
    page.picker.open_beside("file:data/runs/toys.parquet")
    page.settle()
    assert page.picker.second.value == "file:data/runs/toys.parquet"


def test_samples_of_the_page_do_not_pile_up(page):
    for number in range(KEPT + 3):
        page.picker.take_simulated(toy_jets(4, number), "made", str(number))
    assert list(page.picker.kept) == [f"simulated:{n}" for n in range(3, KEPT + 3)]


def test_an_expression_that_cannot_be_read_says_why_and_is_marked(page):
    page.picker.take(toy_jets(30, 6))
    page.picker.expression.value = "ptt > 3"
    assert page.picker.expression.error_state
    assert "ptt" in page.picker.told.object
    page.picker.expression.value = "pt > 600"
    assert not page.picker.expression.error_state
    assert page.selection.count == np.sum(np.asarray(page.sample.jets.p4.pt) > 600)


def test_markup_in_names_of_files_and_samples_stays_text(page):
    page.browser.choose(f"data/{MARKUP}.txt")
    page.browser.begin()
    page.settle()
    page.picker.take_simulated(toy_jets(4, 1, classes=(MARKUP, "top")), MARKUP, "1")
    shown = Document()
    shown.add_root(page.picker.__panel__().get_root())
    texts = [model.text for model in shown.select({"type": type(page.picker.told.get_root())})]
    assert any("onerror" in text for text in texts)
    assert not any("<img" in html.unescape(text) for text in texts)
    assert serialize_json(shown.to_json())


def test_every_setting_of_a_simulation_has_a_field_with_its_default():
    class Settings(param.Parameterized):
        energy = param.Number(14_000.0, bounds=(900.0, 100_000.0), doc="Of both protons.")
        pt = param.Range((550.0, 650.0), bounds=(20.0, 5_000.0))
        tune = param.Selector(default="Monash", objects=["Monash", "Vincia"])
        detector = param.Selector(default=(1, 2), objects={"ATLAS": (1, 2), "none": None}, check_on_set=False)
        multiple_interactions = param.Boolean(default=False)

    fields = {name: field(p) for name, p in Settings.param.objects("existing").items() if name != "name"}
    assert {name: widget.value for name, widget in fields.items()} == {
        "energy": 14_000,
        "pt": (550, 650),
        "tune": "Monash",
        "detector": "ATLAS",
        "multiple_interactions": False,
    }
    assert (fields["energy"].start, fields["energy"].end) == (900, 100_000)
    assert fields["energy"].label == "Energy [GeV]"
