"""Where a tagger's score came from, jet by jet, with the books."""

from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, overload

import awkward as ak
import numpy as np
import torch
from torch import Tensor, nn

from ..data.explanation import Explanation, Ledger
from ..data.jets import Jets
from ..data.origin import fingerprint
from ..engines.batch import Batch
from ..engines.fitted import FittedTagger
from ..engines.tagging import BACKGROUND_JETS
from ..engines.training import threads
from ..engines.trees import Trees
from ..engines.weights import network_fingerprint
from ..errors import ExplanationError, nearest
from ..progress import Never, Report, Step, Stop, silent
from .closing import CLOSED, OPEN_BOOKS, require_closed, settings_of, versions
from .lrp import Flow, doubled, frozen, joined, propagate
from .module import Target, Tensors, explain_module
from .rules import Rule, rule_named
from .score import Seed, direction
from .shapley import shapley_values
from .subjets import without_each_subjet

FIRST_JETS = 16
"""Jets explained first, to learn how much memory the network takes."""

JETS_AT_ONCE = 4096
"""Jets whose inputs are made together."""

VALUES_AT_ONCE = 2**21
"""Size of the largest tensor on the way through the network: small enough for any machine and for most of a cache."""

ATTENTION = ("attnlrp", "cp")
"""How relevance can pass a softmax."""

LEAVE_ONE_SUBJET_OUT = "leave one subjet out"
"""The one of `METHODS` that needs jets and not only what the network sees of them."""

METHODS = (
    "lrp",
    "integrated gradients",
    "deeplift",
    "occlusion",
    "shapley sampling",
    "leave one out",
    LEAVE_ONE_SUBJET_OUT,
)
"""Ways to explain: layer-wise relevance propagation (for trees Shapley values), and those to compare it with."""

ATTRIBUTION = f"{__package__}.attribution"
"""Where the other methods are; captum is imported with it, when one of them is asked for."""


@overload
def explain(
    network: FittedTagger,
    data: Jets,
    *,
    rule: str | Rule = ...,
    seed: Seed = ...,
    attention: str = ...,
    method: str = ...,
    background: Jets | None = ...,
    record: bool = ...,
    report: Report = ...,
    stop: Stop | None = ...,
) -> Explanation: ...
@overload
def explain(
    network: nn.Module,
    data: Tensors,
    *,
    target: Target = ...,
    rule: str | Rule = ...,
    attention: str = ...,
    method: str = ...,
    background: Tensors | None = ...,
    record: bool = ...,
    report: Report = ...,
    stop: Stop | None = ...,
) -> Explanation: ...
def explain(
    network: FittedTagger | nn.Module,
    data: Jets | Tensors,
    *,
    rule: str | Rule = "epsilon",
    seed: Seed = None,
    target: Target = None,
    attention: str = "attnlrp",
    method: str = "lrp",
    background: Any = None,
    record: bool = False,
    report: Report = silent,
    stop: Stop | None = None,
) -> Explanation:
    """Returns the relevance of every particle (or observable, or input value) for the score of every jet, and its ledger.

    Networks are explained by layer-wise relevance propagation, given the neighbours that they found; what is explained is
    the standardised input, so that zero means a typical value and not absence. Boosted trees are explained by exact
    interventional Shapley values of the log-odds. A module of your own is left as it is and seen in evaluation mode; where
    it has several floating inputs, the relevance of the first is `relevance` and that of the others is recorded as
    "input <name>"; where an input has more than two axes, `relevance` is summed over the last and `features` is not.

    Args:
        network: A fitted tagger, or a torch module.
        data: For a tagger, jets. For a module its inputs, whose axis 0 counts jets: a tensor, a tuple of tensors, or a
            dict of tensors by the names of its arguments; integer and boolean ones are passed on as they are.
        rule: For networks, a name of `explanation.rules.RULES` ("epsilon", "0", "gamma", "gamma-epsilon", "z+", "alpha2beta1",
            "w2-epsilon", ...), or a rule with settings of your own.
        seed: For a tagger, the score: (signal, background) for the difference of two logits, (signal,) for its logit
            alone, one class for its logit minus the mean of the others. By default the last class stands against the others, "top - QCD".
        target: For a module, the score: the number of an output, (a, b) for a difference, a tensor of weights of the
            outputs, or a function that takes what the module returns to one score per jet. A single output needs none.
        attention: How relevance passes a softmax: "attnlrp", or "cp", which takes attention weights as given.
        method: "lrp" as above, or another way to compare it with: a name of `METHODS`.
        background: For boosted trees: what an absent observable is replaced from; the first 100 jets are used. By default
            100 of the training jets, which were kept with the trees. For other methods than "lrp", what stands for
            absence, by default zeros: for a tagger, jets whose mean is taken; for a module, inputs of its own or one row.
        record: For networks: whether to keep the relevance of edges and layers, in double precision; for a few jets.
        report: Told how many jets are done.
        stop: Looked at while at work; when set, the jets explained so far are returned.

    Raises:
        ExplanationError: no jets, an empty background, an unknown rule, method, class or target, inputs that are not finite,
            a network whose steps cannot be seen, or books that do not close.
    """
    known(attention, ATTENTION, "way to pass attention")
    known(method, METHODS, "method")
    how = (rule, attention, method, background, record, report, stop or Never())
    if isinstance(network, FittedTagger) and isinstance(data, Jets):
        return _explain_tagger(network, data, seed, target, *how)
    if isinstance(network, nn.Module) and not isinstance(data, Jets):
        return _explain_module(network, data, seed, target, *how)
    msg = (
        "Expected explain(fitted tagger, jets) or explain(module, tensors), found "
        f"{type(network).__name__} and {type(data).__name__}."
    )
    raise ExplanationError(msg)


def known(name: str, names: Sequence[str], what: str) -> None:
    """Checks a name that the user gave.

    Raises:
        ExplanationError: it is not among the names.
    """
    if name not in names:
        msg = f"There is no {what} {name!r}; {nearest(str(name), names)}"
        raise ExplanationError(msg)


def _explain_module(
    module: nn.Module,
    tensors: Tensors,
    seed: Seed,
    target: Target,
    rule: str | Rule,
    attention: str,
    method: str,
    background: Tensors | None,
    record: bool,
    report: Report,
    stop: Stop,
) -> Explanation:
    if seed is not None:
        msg = "A module's outputs have no class names; give target=number, a pair of numbers, weights or a function instead of seed."
        raise ExplanationError(msg)
    if method == LEAVE_ONE_SUBJET_OUT:
        msg = "A module's inputs do not say which subjet they belong to; give a fitted tagger and jets, or leave one particle out."
        raise ExplanationError(msg)
    if method != "lrp":
        attribution = import_module(ATTRIBUTION)
        return attribution.attribute_module(module, tensors, method, target, background, report, stop)
    return explain_module(
        module,
        tensors,
        target=target,
        rule=rule,
        attention=attention,
        record=record,
        report=report,
        stop=stop,
    )


def _explain_tagger(
    fitted: FittedTagger,
    jets: Jets,
    seed: Seed,
    target: Target,
    rule: str | Rule,
    attention: str,
    method: str,
    background: Jets | None,
    record: bool,
    report: Report,
    stop: Stop,
) -> Explanation:
    if target is not None:
        msg = "A tagger's score is named by its classes; give seed=(signal, background) instead of target."
        raise ExplanationError(msg)
    if not len(jets):
        msg = "There are no jets to explain; give at least one."
        raise ExplanationError(msg)
    weights, words = direction(fitted.classes, seed)
    how: dict[str, Any] = {"seed": words, "sample": jets.fingerprint}
    if method == LEAVE_ONE_SUBJET_OUT:
        how |= {"network": network_fingerprint(fitted.network), "versions": versions()}
        return without_each_subjet(fitted, jets, seed, how=how, report=report, stop=stop)
    if method == "lrp":
        flow_of, made = _method(fitted, weights, rule, attention, background, record)
    else:
        flow_of, made = import_module(ATTRIBUTION).of_tagger(fitted, weights, method, background)
    how |= {**made, "network": network_fingerprint(fitted.network), "versions": versions()}
    batches, flows = [], []
    for batch, flow in _flows(fitted, jets, flow_of, report, stop):
        batches.append(batch)
        flows.append(flow)
    if not flows:
        msg = "The explanation was stopped before the first jet was explained; start it again."
        raise ExplanationError(msg)
    return _explanation(batches, joined(flows), how)


def _method(
    fitted: FittedTagger,
    direction: np.ndarray,
    rule: str | Rule,
    attention: str,
    background: Jets | None,
    record: bool,
) -> tuple[Callable[[Batch], Flow], dict[str, Any]]:
    """Returns what explains a batch, and how."""
    chosen = rule_named(rule)
    if isinstance(fitted.network, Trees):
        against = _background(fitted, background)
        drawn = {"background": fingerprint([against]), "background_jets": len(against)}
        return _shapley(fitted.network, against, direction), {
            "method": "interventional Shapley values",
            **drawn,
        }
    made = {"method": "layer-wise relevance propagation", "rule": rule if isinstance(rule, str) else "own"}
    how = {**made, "settings": settings_of(chosen), "attention": attention}
    return _relevance(fitted.network, direction, chosen, attention, record), how


def _flows(
    fitted: FittedTagger, jets: Jets, flow_of: Callable[[Batch], Flow], report: Report, stop: Stop
) -> Iterator[tuple[Batch, Flow]]:
    """Yields portions of the jets, in order, with what flowed back to their inputs."""
    done, widest = 0, 0.0
    for first in range(0, len(jets), JETS_AT_ONCE):
        inputs = _checked(fitted.inputs(jets[first : first + JETS_AT_ONCE]), first, fitted.network)
        for part in inputs.cut(0 if widest else FIRST_JETS):
            for batch in part.portions(int(VALUES_AT_ONCE / max(1.0, widest)) + 1):
                if stop.is_set():
                    return
                with threads(fitted.engine.threads):
                    flow = flow_of(batch)
                widest = max(widest, flow.widest / max(1, len(batch.x)))
                yield batch, flow
                done += len(batch)
                report(Step(done=done, total=len(jets), unit="jets"))


def _relevance(
    network: nn.Module, direction: np.ndarray, rule: Rule, attention: str, record: bool
) -> Callable[[Batch], Flow]:
    """Returns what propagates the relevance of a batch.

    Where single precision leaves a rest in the books of a jet, the jet is propagated again in double precision, unless that
    moves its score: near-equal distances may then have chosen other neighbours, and it is another graph.
    """
    single, double = frozen(network), doubled(network)

    def flow_of(batch: Batch) -> Flow:
        if record:
            return _propagated(double(), batch, direction, rule, attention, record=True)
        flow = _propagated(single, batch, direction, rule, attention)
        open_books = torch.from_numpy(~_ledger(flow).closes(CLOSED)).nonzero()[:, 0]
        if not len(open_books) or flow.relevance.dtype == torch.float64:
            return flow
        again = _propagated(double(), batch[open_books], direction, rule, attention)
        same = (again.score - flow.score[open_books]).abs() <= OPEN_BOOKS * 0.1
        return _with_jets(flow, open_books, again, batch) if bool(same.all()) else flow

    return flow_of


def _propagated(
    network: nn.Module,
    batch: Batch,
    direction: np.ndarray,
    rule: Rule,
    attention: str,
    *,
    record: bool = False,
) -> Flow:
    like = next(network.parameters(), batch.x)
    counts = None if batch.counts is None else batch.counts.to(like.device)
    flow = propagate(
        network,
        batch.x.to(like),
        counts,
        torch.from_numpy(direction).to(like),
        rule,
        attention,
        record=record,
    )
    owner = torch.arange(len(batch), device=like.device).repeat_interleave(1 if counts is None else counts)
    inputs = torch.zeros_like(flow.score).index_add_(0, owner, flow.relevance.double().sum(1))
    lines = {"inputs": inputs, "biases": torch.zeros_like(flow.score)} | dict(flow.lines)
    return Flow(
        flow.relevance.cpu(),
        flow.score.cpu(),
        {name: line.cpu() for name, line in lines.items()},
        flow.widest,
        {name: relevance.cpu() for name, relevance in flow.recorded.items()},
        {name: (i.cpu(), j.cpu()) for name, (i, j) in flow.edges.items()},
    )


def _with_jets(flow: Flow, jets: Tensor, other: Flow, batch: Batch) -> Flow:
    """Returns the flow with these jets replaced by those of another, in order."""
    chosen = torch.zeros(len(batch), dtype=torch.bool)
    chosen[jets] = True
    rows = chosen if batch.counts is None else chosen.repeat_interleave(batch.counts)
    relevance, score = flow.relevance.clone(), flow.score.clone()
    relevance[rows] = other.relevance.to(relevance)
    score[jets] = other.score
    lines = {name: line.clone() for name, line in flow.lines.items()}
    for name, line in other.lines.items():
        lines[name][jets] = line
    return Flow(relevance, score, lines, flow.widest)


def _ledger(flow: Flow) -> Ledger:
    return Ledger(flow.score.numpy(), {name: line.numpy() for name, line in flow.lines.items()})


def _shapley(trees: Trees, background: np.ndarray, direction: np.ndarray) -> Callable[[Batch], Flow]:
    outputs = direction[1:] if len(trees.baseline) == 1 else direction
    mean = float((trees.logits(background) @ direction).mean())

    def flow_of(batch: Batch) -> Flow:
        x = batch.x.numpy()
        values = shapley_values(trees, x, background) @ outputs
        score = torch.from_numpy(trees.logits(x) @ direction)
        relevance = torch.from_numpy(values)
        lines = {"inputs": relevance.sum(1), "background mean": torch.full_like(score, mean)}
        return Flow(relevance, score, lines, batch.x.numel())

    return flow_of


def _explanation(batches: Sequence[Batch], flow: Flow, how: dict[str, Any]) -> Explanation:
    ledger = _ledger(flow)
    require_closed(ledger)
    values = flow.relevance.numpy()
    names = batches[0].names if values.shape[1] == len(batches[0].names) else ("particle",)
    if batches[0].counts is None:
        return Explanation(values, values, names, ledger, how=how)
    counts = np.concatenate([batch.counts.numpy() for batch in batches if batch.counts is not None])
    particles, features = ak.unflatten(values.sum(axis=1), counts), ak.unflatten(values, counts)
    return Explanation(particles, features, names, ledger, _recorded(flow, counts), how)


def _recorded(flow: Flow, counts: np.ndarray) -> dict[str, Any]:
    """Returns what was recorded as the user sees it: per jet, per particle, or per edge with the particles that it joins."""
    starts, owner = np.cumsum(counts) - counts, np.arange(len(counts)).repeat(counts)
    recorded: dict[str, Any] = {}
    for name, relevance in flow.recorded.items():
        values = relevance.numpy()
        if name in flow.edges:
            i, j = (end.numpy() for end in flow.edges[name])
            order = np.lexsort((j, i))
            i, j, jet = i[order], j[order], owner[i[order]]
            ends = {"i": i - starts[jet], "j": j - starts[jet], "relevance": values[order]}
            edges_of_jet = np.bincount(jet, minlength=len(counts))
            recorded[name] = ak.zip({key: ak.unflatten(value, edges_of_jet) for key, value in ends.items()})
        elif len(values) == len(counts):
            recorded[name] = values
        elif len(values) == len(owner):
            recorded[name] = ak.unflatten(values, counts)
    return recorded


def _background(fitted: FittedTagger, background: Jets | None) -> np.ndarray:
    """Returns the inputs that an absent observable is replaced from, shape (jets, observables)."""
    if background is not None:
        if not len(background):
            msg = "The background has no jets; give at least one, or none to compare with the training jets."
            raise ExplanationError(msg)
        return fitted.inputs(background[:BACKGROUND_JETS]).x.numpy()
    if fitted.background is None:
        msg = "These trees were saved without a background to compare with; pass background=jets."
        raise ExplanationError(msg)
    return fitted.background


def _checked(inputs: Batch, first: int, network: nn.Module | Trees) -> Batch:
    """Returns the inputs of a network if they are finite."""
    finite = torch.isfinite(inputs.x)
    if isinstance(network, Trees) or bool(finite.all()):
        return inputs
    row, column = (~finite).nonzero()[0].tolist()
    jet = row if inputs.counts is None else int((inputs.counts.cumsum(0) <= row).sum())
    msg = f"The input {inputs.names[column]!r} of jet {first + jet} is not a finite number; drop or repair the jet."
    raise ExplanationError(msg)
