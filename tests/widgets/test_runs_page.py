"""The runs page without a browser: what is listed, compared, renamed, deleted and repeated is what was planted."""

import html
import re
from dataclasses import replace

import numpy as np
import pytest

import workbench as wb
from tests import patience
from tests.state.fake_registry import IDS, MARKUP, FakeRegistry, planted, registry, scores
from tests.toys import toy_jets
from workbench.engines.archive import Archive, write
from workbench.errors import StoreError
from workbench.jobs.recipe import Recipe
from workbench.jobs.registry import Registry
from workbench.physics.comparison import Difference
from workbench.progress import Step
from workbench.views.performance import CURVE
from workbench.widgets.run_card import METRICS_CSV, MODEL, ONNX, verdict
from workbench.widgets.run_comparison import caption, difference, known, numbers, relation
from workbench.widgets.run_table import LATER
from workbench.widgets.runs_page import RunsPage
from workbench.widgets.table import table

# Panel 1.9.4 resets an index in place, of which pandas 3.1 warns.
pytestmark = pytest.mark.filterwarnings("ignore:The inplace keyword")


def settle(page):
    patience.settle(page.errands)
    beat(page)


def beat(page):
    for _ in range(LATER if page.table is not None else 0):
        page.table.beat()


def opened(kept, query=""):
    page = RunsPage(lambda: kept, lambda: getattr(kept, "jobs", []))
    page.state.read(query)
    page.list()
    settle(page)
    return page


@pytest.fixture
def fake():
    return registry()


@pytest.fixture
def page(fake):
    made = opened(fake)
    yield made
    made.errands.close()


def choose(page, *which):
    page.state.choose([IDS[i] for i in which])
    settle(page)


def cells(markup):
    """The rows of an HTML table as lists of texts."""
    rows = re.findall(r"<tr>(.*?)</tr>", markup)
    return [
        [
            html.unescape(re.sub(r"<[^>]+>", "", cell)).strip()
            for cell in re.findall(r"<t[hd].*?</t[hd]>", row)
        ]
        for row in rows
    ]


def test_runs_are_listed_with_a_sign_and_a_word_for_their_status(page):
    listed = page.table.table.value
    assert listed["name"].tolist() == ["run 0", "run 1", "run 2", "run 3", MARKUP]
    assert listed["status"].tolist() == ["✓ done"] * 3 + ["† died", "✓ done"]
    assert listed["AUC"].iloc[2] == 0.95
    assert np.isnan(listed["AUC"].iloc[3])


def test_ticking_rows_compares_them_and_filters_keep_them(page):
    page.table.table.selection = [1, 0]
    settle(page)
    assert set(page.state.chosen) == {IDS[0], IDS[1]}
    page.table.expression.value = 'network == "trees"'
    beat(page)
    assert page.table.table.value["name"].tolist() == ["run 2"]
    assert page.table.table.selection == []
    assert set(page.state.chosen) == {IDS[0], IDS[1]}
    assert "2 of them not in this list" in page.table.told.object
    page.table.table.selection = [0]
    assert set(page.state.chosen) == {IDS[0], IDS[1], IDS[2]}
    page.table.expression.value = ""
    beat(page)
    assert page.table.table.selection == [0, 1, 2]


def test_a_tick_that_comes_before_a_new_table_shows_its_ticks_adds_to_them(page):
    choose(page, 0)
    page.table.text.value = "run"
    page.table.table.selection = [1]
    assert page.state.chosen == [IDS[0], IDS[1]]
    beat(page)
    assert page.table.table.selection == [0, 1]


def test_a_tick_that_crosses_the_ticks_of_a_new_table_adds_to_them_and_one_taken_away_goes(page):
    choose(page, 0)
    page.table.text.value = "run"
    beat(page)
    assert page.table.table.selection == [0]
    page.table.table.selection = [1]
    assert page.state.chosen == [IDS[0], IDS[1]]
    assert sorted(page.table.table.selection) == [0, 1]
    page.table.table.selection = [1]
    assert page.state.chosen == [IDS[1]]


def test_only_the_parameters_that_differ_are_shown(page):
    choose(page, 0, 1)
    head, *rows = cells(page.comparison.settings.object)
    assert [text.split()[-1] for text in head[1:]] == ["0", "1"]
    assert rows == [["epochs", "5", "8"], ["learning rate", "0.001", "0.002"]]
    choose(page, 0)
    assert "Tick a second run" in page.comparison.settings_told.object


def test_the_curves_are_those_of_the_roc_of_the_stored_scores(page, fake):
    choose(page, 0, 1)
    for i in (0, 1):
        stored = fake.scores(IDS[i])
        curve = wb.roc(stored["validation_label"], stored["validation_scores"], signal=1, background=0)
        points = page.comparison.places[i].points.data
        wanted = [curve.rejection(x).value for x in (0.3, 0.5)]
        np.testing.assert_allclose(points["rejection"], wanted, rtol=1e-6)
    assert page.comparison.places[0].best.data["epoch"].tolist() == [3]


def test_runs_measured_on_the_same_jets_are_told_from_others(fake):
    runs = [known(fake, run) for run in fake.runs()]
    assert relation(runs[0], runs[1]) == "same"
    assert relation(runs[0], runs[3]) == "unknown"
    assert relation(runs[0], runs[4]) == "shared"
    elsewhere = {"name": "data", "fingerprint": "f" * 16, "n": 10, "selection": ""}
    other = replace(runs[1], run=replace(runs[1].run, sample=elsewhere), held=("f" * 16, 1, None))
    assert relation(runs[0], other) == "other"
    relabelled = replace(runs[1], label=1 - runs[1].label)
    assert relation(runs[0], relabelled) == "shared"


def test_the_difference_on_the_same_jets_has_the_smaller_error(fake):
    noise = np.random.default_rng(3).normal(scale=0.1, size=3000)
    stored = fake.scores(IDS[0])
    odds = np.log(stored["validation_scores"][:, 1] / stored["validation_scores"][:, 0]) + noise
    near = 1 / (1 + np.exp(-odds))
    fake.stored[IDS[1]] = {**stored, "validation_scores": np.stack([1 - near, near], axis=1)}
    one, other = (known(fake, run) for run in fake.runs()[:2])
    row = numbers([one, other])[1]
    assert row[-1] == "same jets as A"
    error = float(re.search(r"± ([\d.]+)", row[3])[1])
    assert error < other.measured.curve.auc_error / 3


def test_a_difference_says_its_significance():
    assert difference(Difference(-0.012, 0.003)) == "−0.012 ± 0.003 (4.0 σ)"
    assert difference(Difference(0, 0)) == "0, exactly"
    assert difference(Difference(float("nan"), float("nan"))) == "not known"


def test_other_validation_jets_are_said_to_be_not_comparable(page, fake):
    elsewhere = {"name": "data", "fingerprint": "f" * 16, "n": 10, "selection": ""}
    fake.kept[IDS[1]] = replace(fake.kept[IDS[1]], sample=elsewhere)
    page.list()
    settle(page)
    choose(page, 0, 1)
    assert "not comparable" in page.comparison.told.object


def test_a_run_without_scores_says_so_and_the_others_are_drawn(page):
    choose(page, 3, 0)
    assert "kept no scores" in page.comparison.missing.object
    assert len(page.comparison.places[0].curve.data["signal"]) == 0
    assert len(page.comparison.places[1].curve.data["signal"]) > 0


def test_a_name_that_looks_like_markup_stays_text(page):
    choose(page, 0, 4)
    panes = [page.comparison.settings, page.comparison.numbers, page.card.told, page.card.details]
    page.card.delete.clicks += 1
    settle(page)
    for pane in [*panes, page.card.gone]:
        assert "<img" not in pane.object
    assert html.unescape(page.card.gone.object).startswith(MARKUP)
    assert table([MARKUP], [[MARKUP, MARKUP]]).count("&lt;img") == 3


def test_a_run_is_renamed_in_place_and_never_nameless(page, fake):
    choose(page, 0)
    page.card.name_field.value = "better"
    settle(page)
    assert fake.kept[IDS[0]].name == "better"
    assert page.table.table.value["name"].iloc[0] == "better"
    page.card.name_field.value = "  "
    settle(page)
    assert (fake.kept[IDS[0]].name, page.card.name_field.value) == ("better", "better")


def test_a_deleted_run_is_taken_back(page, fake):
    choose(page, 0, 1)
    page.card.delete.clicks += 1
    settle(page)
    assert IDS[1] in fake.bin
    assert (page.state.chosen, len(page.table.table.value)) == ([IDS[0]], 4)
    assert "run 1 is in the bin" in page.card.gone.object
    page.card.undo.clicks += 1
    settle(page)
    assert IDS[1] in fake.kept
    assert len(page.table.table.value) == 5
    assert len(page.card.bin) == 0


def test_a_registry_that_does_not_answer_is_one_sentence_and_the_page_lives(page, fake):
    fake.error = "The list of runs is locked; try again."
    choose(page, 0)
    page.card.name_field.value = "better"
    settle(page)
    assert "The list of runs is locked" in page.failed.object
    assert page.told.visible
    assert len(page.table.table.value) == 5
    fake.error = ""
    page.list()
    page.card.name_field.value = "best"
    settle(page)
    assert fake.kept[IDS[0]].name == "best"


def test_without_runs_there_is_a_sentence_and_a_button():
    page = opened(FakeRegistry())
    (pane,) = page.content
    assert page.table is None
    assert [b.href for b in pane.select(lambda o: getattr(o, "href", ""))] == ["jets"]
    page.errands.close()


def test_a_card_that_is_shown_stays_as_it_is_while_its_fit_goes_on(page, fake):
    page.state.current = IDS[0]
    settle(page)
    (shown,) = page.card.below
    for _ in range(2):
        page.state.param.trigger("progress")
        page.state.param.trigger("runs")
    assert list(page.card.below) == [shown]


def test_actions_are_offered_where_they_can_be_done(page, fake, tmp_path):
    model = tmp_path / "model.safetensors"
    model.touch()
    fake.kept[IDS[3]] = replace(fake.kept[IDS[3]], file=model)
    fake.kept[IDS[2]] = replace(fake.kept[IDS[2]], status="running")
    page.list()
    settle(page)
    card = page.card

    def offered():
        buttons = (card.open, card.reproduce, card.resume, card.stop, card.delete, card.export)
        return [button.label for button in buttons if not button.disabled]

    page.state.look_at(IDS[0])
    assert offered() == ["Reproduce", "Delete", "Export"]
    page.state.look_at(IDS[2])
    assert offered() == []
    page.state.look_at(IDS[3])
    assert offered() == ["Open on the jets page", "Reproduce", "Resume", "Delete", "Export"]
    assert card.open.href == f"jets?v=1&network=run:{IDS[3]}"


def archive(path, shift=0.0):
    arrays = {"network/w": np.array([1.0, np.nan, 2.0 + shift]), "optimizer/0/step": np.array([shift])}
    return write(Archive("tagger", {"settings": {}, "classes": ["QCD", "top"]}, arrays), path)


def test_the_weights_decide_whether_a_fit_was_reproduced(tmp_path):
    first = planted(0, file=archive(tmp_path / "a.safetensors"), versions={"torch": "2.12"})
    same = planted(1, file=archive(tmp_path / "b.safetensors"))
    other = planted(2, auc=0.91, file=archive(tmp_path / "c.safetensors", 1e-12), versions={"torch": "2.13"})
    assert verdict(first, same).startswith("Identical to run 0: all 1 arrays")
    said = verdict(first, other)
    assert said.startswith("Not identical to run 0: 1 of 1 arrays")
    assert "torch version 2.12 and 2.13" in said
    assert "+0.01" in said
    assert "not known" in verdict(first, planted(3))
    (tmp_path / "c.safetensors").write_bytes(b"x")
    with pytest.raises(StoreError):
        verdict(first, other)


def test_a_fit_is_repeated_followed_and_judged(page, fake, tmp_path):
    fake.kept[IDS[0]] = replace(fake.kept[IDS[0]], file=archive(tmp_path / "a.safetensors"))
    page.list()
    choose(page, 0)
    page.card.reproduce.clicks += 1
    settle(page)
    (job,) = fake.jobs
    assert page.state.current == job.id
    job.tell(Step(2, 5, "epochs"))
    page.beat()
    settle(page)
    assert "2 of 5 epochs" in page.card.told.object
    assert page.table.table.value["status"].iloc[0] == "▶ running: 2 of 5 epochs"
    assert not page.card.stop.disabled
    note = {"repeated": IDS[0]}
    fake.kept[job.id] = replace(fake.kept[job.id], note=note, file=archive(tmp_path / "b.safetensors"))
    fake.finish(job, scores(0))
    page.beat()
    settle(page)
    assert "Identical to run 0" in page.card.same.object


def test_a_running_fit_is_stopped(page, fake):
    choose(page, 3)
    page.card.resume.disabled = False
    page.card.resume.clicks += 1
    settle(page)
    page.beat()
    settle(page)
    page.card.stop.clicks += 1
    assert fake.jobs[0].stopped


def test_what_is_exported_is_the_model_or_the_metrics(page, fake):
    choose(page, 4)
    sent = []
    page.card.delivery.ask = lambda kind, **details: sent.append(details)
    for wanted in (MODEL, METRICS_CSV):
        page.card.format.value = wanted
        page.card.export.clicks += 1
        settle(page)
    model, csv = sent
    assert model["content"] == b"{}"
    assert csv["content"].startswith(b"epoch,loss,validation_loss,auc\n1.0,")
    assert all(re.fullmatch(r"[\w.+-]+", one["name"]) for one in sent)


class Network:
    """What a registry opens: it writes ONNX, or says why it cannot."""

    def __init__(self, problem=""):
        self.problem = problem

    def to_onnx(self, path):
        if self.problem:
            raise StoreError(self.problem)
        path.write_bytes(b"operators")
        return path


def test_a_network_is_exported_as_onnx_or_it_is_said_why_not(page, fake, monkeypatch):
    choose(page, 4)
    sent = []
    page.card.delivery.ask = lambda kind, **details: sent.append(details)
    page.card.format.value = ONNX
    for problem in ("", "Boosted trees have no such form."):
        monkeypatch.setattr(fake, "open", lambda identity, problem=problem: Network(problem), raising=False)
        page.card.export.clicks += 1
        settle(page)
    assert [one["content"] for one in sent] == [b"operators"]
    assert sent[0]["name"].endswith(".onnx")
    assert page.errands.error == "Boosted trees have no such form."


def test_a_link_opens_the_chosen_runs_and_says_what_it_could_not(fake):
    page = opened(fake, f"?v=1&run={IDS[0]}&run={IDS[77]}&filter=auc%20%3E%200.8")
    assert page.state.chosen == [IDS[0]]
    assert page.table.expression.value == "auc > 0.8"
    assert page.table.table.selection == [0]
    assert IDS[77] in page.state.notices[0]
    page.errands.close()


def test_of_runs_that_are_over_nothing_is_read_twice(page, fake):
    choose(page, 0)
    read, asked = fake.scores, []
    fake.scores = lambda run_id: asked.append(run_id) or read(run_id)
    choose(page, 0, 1)
    assert asked == [IDS[1]]


def test_the_real_registry_lists_compares_and_repeats_a_fit(tmp_path):
    kept = Registry(tmp_path / "runs", "")
    jets = toy_jets(600, 3)
    settings = {"network": "trees", "iterations": 3}
    job = kept.submit(Recipe("tagger", settings), jets, seed=1, name=MARKUP, note={"sample": "toys"})
    job.result(120)
    assert kept.flush(60)
    page = opened(kept)
    assert page.table.table.value["name"].tolist() == [MARKUP]
    page.state.look_at(job.id)
    settle(page)
    stored = kept.scores(job.id)
    curve = wb.roc(stored["validation_label"], stored["validation_scores"], signal=1, background=0)
    band = curve.band(CURVE)
    drawn = page.comparison.places[0].curve.data["rejection"]
    np.testing.assert_allclose(drawn, band.value[np.isfinite(band.value)], rtol=1e-6)
    assert page.comparison.compared[0].measured.curve.auc == curve.auc
    again = kept.submit_again(job.id)
    again.result(120)
    assert kept.flush(60)
    page.list()
    settle(page)
    page.state.look_at(again.id)
    settle(page)
    assert html.unescape(page.card.same.object).startswith(f"Identical to {MARKUP}")
    page.state.choose([job.id, again.id])
    settle(page)
    assert numbers(page.comparison.compared)[1][3] == "0, exactly"
    assert page.errands.error == ""
    page.errands.close()


def test_runs_of_one_name_are_deleted_each_for_itself():
    fake = FakeRegistry([planted(0, name="mlp, seed 1"), planted(1, name="mlp, seed 1", hours=1)])
    page = opened(fake)
    choose(page, 0, 1)
    for i in (0, 1):
        page.state.current = IDS[i]
        page.card.delete.clicks += 1
    settle(page)
    assert set(fake.bin) == {IDS[0], IDS[1]}
    page.errands.close()


def test_entries_that_cannot_be_read_are_counted(page, fake):
    assert page.unread.object == ""
    fake.unread = 2
    page.list()
    settle(page)
    assert "2 entries of the list could not be read" in page.unread.object


def test_of_a_sample_with_weights_the_caption_says_that_they_are_left_out(fake):
    weighted = replace(fake.kept[IDS[1]], sample={**fake.kept[IDS[1]].sample, "weighted": True})
    assert "without weights" not in caption([known(fake, fake.kept[IDS[0]])])
    assert "without weights" in caption([known(fake, fake.kept[IDS[0]]), known(fake, weighted)])
