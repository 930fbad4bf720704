"""The runs a page lists, without a page: filters, choice, address, progress."""

import pytest

from tests.state.fake_registry import IDS, MARKUP, FakeJob, planted, registry
from workbench.errors import SelectionError
from workbench.progress import Step
from workbench.state.run_filter import RunFilter
from workbench.state.runs import MOST, RunsState, differing, values


@pytest.fixture
def state():
    made = RunsState()
    made.take(registry().runs())
    return made


def shown(state):
    return [IDS.index(run.id) for run in state.shown]


def test_all_runs_are_shown_newest_first(state):
    assert shown(state) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("expression", "kept"),
    [
        ("auc > 0.93", [2]),
        ('auc > 0.8 & network == "trees"', [2]),
        ('network == "mlp" and not seed == 2', [0, 1, 3]),
        ("learning_rate >= 0.001 | iterations == 50", [0, 1, 2]),
        ("0.84 < auc < 0.91", [0, 1, 4]),
        ('status == "died"', [3]),
        ("~(auc > 0)", [3]),
        ("auc != 0.9", [2, 4]),
        ("max(auc, rejection_50 / 41) > 1", [2, 4]),
        ("abs(-seed) ** 2 + 0 * auc == 4", [4]),
    ],
)
def test_expressions_keep_what_they_say(state, expression, kept):
    state.expression = expression
    assert (shown(state), state.notice) == (kept, "")


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("acu > 0.9", "did you mean 'auc'"),
        ("auc", "no yes or no"),
        ("auc >", "a number, a name"),
        ('auc > "mlp"', "cannot be compared"),
        ('"a" < "b"', "cannot be compared"),
        ("auc & seed", "joins comparisons"),
        ('sqrt("a") > 1', "needs numbers"),
        ("count(auc) > 1", "no lists"),
        ("__import__('os')", "no function"),
    ],
)
def test_an_expression_that_means_nothing_is_said_and_not_used(state, expression, said):
    state.network = "mlp"
    state.expression = expression
    assert said in state.notice
    assert shown(state) == [0, 1, 3, 4]


def test_a_value_that_is_not_a_number_passes_no_comparison():
    for expression in ("log(0 - seed) > -100", "1 / (seed - seed) != 0", "(0 - seed) ** 0.5 == 1"):
        assert not RunFilter(expression, ["seed"]).passes({"seed": 1.0})
    with pytest.raises(SelectionError):
        RunFilter("seed", ["seed"]).passes({"seed": 1.0})


def test_the_plain_filters_join(state):
    state.param.update(network="mlp", status="done", text="RUN")
    assert shown(state) == [0, 1]
    assert state.offered("network") == ["mlp", "trees"]
    assert state.offered("status") == ["died", "done"]


def test_orders_put_runs_that_lack_the_number_last(state):
    state.order = "best area first"
    assert shown(state) == [2, 0, 1, 4, 3]
    state.order = "by name"
    assert shown(state) == [4, 0, 1, 2, 3]


def test_two_runs_differ_in_exactly_the_planted_parameters(state):
    state.choose([IDS[0], IDS[1]])
    assert differing(state.compared) == {"epochs": [5, 8], "learning_rate": [0.001, 0.002]}


def test_what_only_one_run_says_is_a_difference_and_a_tuple_is_the_list_it_became():
    one, other = planted(0, hidden=(8, 8), dropout=0.1), planted(1, hidden=[8, 8])
    assert differing([one, other]) == {"dropout": [0.1, None]}
    assert differing([one, one]) == {}


def test_only_so_many_are_compared(state):
    state.take([planted(i) for i in range(10)])
    state.choose(IDS[:10])
    assert state.chosen == IDS[:MOST]
    assert str(MOST) in state.notice


def test_the_run_that_is_looked_at_is_one_of_the_chosen(state):
    state.look_at(IDS[2])
    assert (state.chosen, state.current) == ([IDS[2]], IDS[2])
    state.look_at(IDS[1])
    assert (state.chosen, state.current) == ([IDS[1]], IDS[1])
    state.choose([IDS[1], IDS[0]])
    assert state.current == IDS[0]
    state.look_at(IDS[1])
    assert (state.chosen, state.current) == ([IDS[1], IDS[0]], IDS[1])
    state.choose([IDS[0]])
    assert state.current == IDS[0]
    state.take([planted(4)])
    assert (state.chosen, state.current) == ([], "")


def test_a_run_that_was_asked_for_is_looked_at_once_it_is_listed(state):
    state.awaited = IDS[7]
    state.take(registry().runs())
    assert (state.current, state.awaited) == ("", IDS[7])
    state.take([planted(7, status="queued")])
    assert (state.current, state.awaited) == (IDS[7], "")


def test_the_same_list_is_no_news(state):
    told = []
    state.param.watch(told.append, ["runs", "shown"])
    state.take([planted(3, status="died", auc=float("nan"))])
    told.clear()
    state.take([planted(3, status="died", auc=float("nan"))])
    assert told == []


def test_an_address_opens_the_same_view(state):
    state.param.update(text="run", network="mlp", expression="auc > 0.8", order="by name")
    state.choose([IDS[1], IDS[0]])
    other = RunsState()
    other.read(state.write())
    other.take(registry().runs())
    assert other.notices == []
    assert (other.chosen, other.current, shown(other)) == (state.chosen, state.current, shown(state))
    assert other.write() == state.write()


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("?v=2&run=a", "version 2"),
        ("?run=a", "no version"),
        ("?v=1&wrong=a", "'wrong'"),
        ("?v=1&status=dead", "did you mean 'died'"),
        ("?v=1&order=up", "no order 'up'"),
        ("?v=1&run=../../etc/passwd", "no run"),
        ("?v=1&text=" + "a" * 5000, "longer than"),
        ("?v=1" + "".join(f"&run={i}" for i in IDS[:9]), "9 runs"),
    ],
)
def test_what_an_address_says_wrong_is_said(query, said):
    state = RunsState()
    state.read(query)
    assert any(said in notice for notice in state.notices), state.notices


def test_a_run_that_is_not_there_any_more_is_named_once(state):
    opened = RunsState()
    opened.read(f"?v=1&run={IDS[0]}&run={IDS[77]}")
    opened.take(registry().runs())
    assert opened.chosen == [IDS[0]]
    assert [IDS[77] in notice for notice in opened.notices] == [True]
    opened.take(registry().runs())
    assert len(opened.notices) == 1


def test_a_bad_filter_of_an_address_is_said_and_markup_stays_what_it_is():
    state = RunsState()
    state.read("?v=1&filter=" + "auc%20%3E")
    state.take(registry().runs())
    assert "expected" in state.notice
    state.read("?v=1&text=%3Cimg%20src")
    assert [run.name for run in state.shown] == [MARKUP]


def test_jobs_are_followed_by_their_versions(state):
    job = FakeJob(IDS[0])
    assert state.poll([job])
    assert state.progress == {IDS[0]: "begins"}
    assert not state.poll([job])
    job.tell(Step(2, 8, "epochs"))
    job.remaining = 30.0
    assert not state.poll([job])
    assert state.progress == {IDS[0]: "2 of 8 epochs, 30 s left"}
    waiting = FakeJob(IDS[1], "queued", place=2)
    assert state.poll([job, waiting])
    assert state.progress[IDS[1]] == "place 2 in the queue"
    job.end()
    assert state.poll([job, waiting])
    assert set(state.progress) == {IDS[1]}


def test_a_run_says_its_numbers_and_words_by_name(state):
    said = values(state.find(IDS[2]))
    assert (said["network"], said["iterations"], said["jets"], said["user"]) == ("trees", 50.0, 4000.0, "ada")
