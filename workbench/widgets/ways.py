"""How a jet is explained: which score, which method, which rule, in words, and what to beware of."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import panel as pn
import panel_material_ui as pmui

from ..data.jets import Jets
from .analysis import METHODS, PROPAGATION, RULES, SLOW, Analysis
from .errands import public
from .panes import line, row, say
from .study import Question, Study


@dataclass(frozen=True)
class Word:
    """A way in words: its name in a list, one sentence, and a warning where one is due."""

    label: str
    sentence: str
    warning: str = ""


RULE_WORDS: Mapping[str, Word] = {
    "epsilon": Word(
        "ε: small contributions are absorbed", "Weak outputs, where contributions cancel, pass little on."
    ),
    "0": Word("0: nothing is absorbed", "Gradient times input for networks of ReLUs; exact and noisy."),
    "gamma": Word(
        "γ: what agrees counts more", "What has the sign of an output counts a quarter more; calmer maps."
    ),
    "gamma-epsilon": Word(
        "γ below, ε above", "γ in the lower half of the network, where noise arises, ε above."
    ),
    "z+": Word(
        "z⁺ (α1β0): only what raises",
        "Nothing can speak against a class.",
        "Beware: this rule cannot tell signal from background; its maps for both look the same.",
    ),
    "alpha2beta1": Word(
        "α2β1: what raises twice, less what lowers",
        "Contributions for and against are shared out apart.",
        "Beware: maps of signal and background look much alike under this rule.",
    ),
    "w2-epsilon": Word(
        "w² at the inputs, ε above", "The first layer shares by its weights alone, whatever the inputs are."
    ),
    "flat-epsilon": Word(
        "flat at the inputs, ε above", "The first layer shares evenly: it tells where the network looks."
    ),
}
"""Rules of relevance propagation."""

METHOD_WORDS: Mapping[str, Word] = {
    "lrp": Word("Relevance propagation", "The score is followed back through the network, layer by layer."),
    "leave one out": Word(
        "Leave one particle out", "What the score loses without each particle, with the graph made anew."
    ),
    "leave one subjet out": Word(
        "Leave one subjet out",
        "What the score loses without each of three subjets, shared by pT, with the graph made anew.",
    ),
    "occlusion": Word("Occlusion", "What the score loses when a particle is made a typical one."),
    "deeplift": Word("DeepLift", "Differences to a typical jet are followed back."),
    "integrated gradients": Word(
        "Integrated gradients", "The gradient, summed on the way from a typical jet to this one."
    ),
    "shapley sampling": Word(
        "Shapley values, sampled", "What a particle adds, averaged over 25 orders of putting them in."
    ),
}
"""Ways to explain."""

OTHERS, NOTHING = "the mean of all others", "nothing: its logit alone"
ALONE = "A logit alone has no zero of its own: raised for all classes alike it says nothing, yet it is explained too."
ATTENTION_WORDS = {"AttnLRP: through the weights too": "attnlrp", "CP: weights taken as given": "cp"}
NO_SOFTMAX = "This network has no attention, so the choice makes no difference."
UNNAMED = "This combination of method, rule and attention is for one jet alone; choose another."
EXPLAIN = "Explain this jet"


def listed(words: Mapping[str, Word], names: tuple[str, ...]) -> dict[str, str]:
    """Returns the choices of a list: words to names."""
    return {words[name].label: name for name in names}


class Ways(pn.viewable.Viewer):
    """The pickers of method, rule, score and attention, bound to an analysis; a change explains the open jet anew."""

    def __init__(self, analysis: Analysis, **parameters: Any) -> None:
        super().__init__(**parameters)
        self.analysis = analysis
        small: dict[str, Any] = {"size": "small", "sizing_mode": "stretch_width", "margin": (4, 6)}
        self.rule = pmui.Select(
            label="Rule of the relevance", options=listed(RULE_WORDS, RULES), value=analysis.rule, **small
        )
        self.method = pmui.Select(
            label="Method", options=listed(METHOD_WORDS, METHODS), value=analysis.method, **small
        )
        self.attention = pmui.Select(
            label="Attention", options=ATTENTION_WORDS, value=analysis.attention, **small
        )
        self.signal = pmui.Select(label="Score: for", options=[], **small)
        self.background = pmui.Select(label="against", options=[], **small)
        self.said = line(variant="caption")
        self.badge = line(margin=0)
        # The text is a child: an Alert's own `object` is Markdown.
        self.warning = pmui.Alert(
            self.badge, severity="warning", visible=False, sizing_mode="stretch_width", margin=(2, 6)
        )
        self.study = Study(EXPLAIN, self._question, self._take, errands=analysis.errands, urgent=True)
        self.slow = pn.Column(self.study, visible=False, sizing_mode="stretch_width", margin=0)
        self._asked: tuple[Any, Jets, int, tuple[str, ...]] | None = None
        self._following = False
        self._watch()
        self._follow()

    def _watch(self) -> None:
        for name in ("rule", "method", "attention"):
            widget = getattr(self, name)
            widget.param.watch(
                lambda event, name=name: self.analysis.param.update(**{name: event.new}), "value"
            )
        for widget in (self.signal, self.background):
            widget.param.watch(self._choose_score, "value")
        watched = ["rule", "method", "attention", "opposed", "fitted", "signal", "background", "explanation"]
        self.analysis.param.watch(self._follow, watched)
        self.analysis.selection.param.watch(self._follow, "current")

    def beat(self) -> None:
        """Takes over what a slow method reported; called by the page's timer."""
        self.study.beat()

    def _choose_score(self, event: Any) -> None:
        if self._following or self.analysis.fitted is None:
            return
        signal, background = self.signal.value, self.background.value or self.analysis.background
        opposed = {OTHERS: "others", NOTHING: "nothing"}.get(background, "background")
        if opposed != "background":
            others = [name for name in self.analysis.fitted.classes if name != signal]
            background = self.analysis.background if self.analysis.background in others else others[0]
        if signal == background:
            # The other end of the score gives way: of two classes they change places.
            others = [name for name in self.analysis.fitted.classes if name != event.new]
            before = event.old if event.old in others else others[0]
            signal, background = (event.new, before) if event.obj is self.signal else (before, event.new)
        self.analysis.against(signal, background, opposed)

    def _follow(self, *events: Any) -> None:
        """Shows what is looked at, whoever chose it."""
        analysis, propagates = self.analysis, self.analysis.method == PROPAGATION
        classes = list(analysis.fitted.classes) if analysis.fitted is not None else []
        self._following = True
        with pn.io.hold():
            for name in ("rule", "method", "attention"):
                getattr(self, name).value = getattr(analysis, name)
            against = [*classes, *([OTHERS] if len(classes) > 2 else []), *([NOTHING] if classes else [])]
            chosen = {"others": OTHERS, "nothing": NOTHING}.get(analysis.opposed, analysis.background)
            self._offer(self.signal, classes, analysis.signal)
            self._offer(self.background, against, chosen)
            how = analysis.explanation.how if analysis.explanation is not None else {}
            trees = bool(how) and propagates and "rule" not in how
            self.rule.disabled = self.attention.disabled = not propagates or trees
            self.slow.visible = analysis.method in SLOW
            self.study.require(self._missing())
            warning = RULE_WORDS[analysis.rule].warning if propagates and not trees else ""
            say(self.badge, warning)
            self.warning.visible = bool(warning)
            say(self.said, self._sentence(trees))
        self._following = False

    def _offer(self, select: pmui.Select, options: list[str], chosen: str) -> None:
        value = chosen if chosen in options else None
        select.param.update(options=options, value=value, disabled=not options)

    def _missing(self) -> str:
        if self.analysis.fitted is None:
            return "Choose or train a tagger first."
        return "Open a jet first." if self.analysis.selection.current is None else ""

    def _sentence(self, trees: bool) -> str:
        return f"{self._way(trees)} {ALONE if self.analysis.opposed == 'nothing' else ''}".strip()

    def _way(self, trees: bool) -> str:
        if trees:
            return "Boosted trees have exact Shapley values; no rule is needed."
        if self.analysis.method != PROPAGATION:
            return METHOD_WORDS[self.analysis.method].sentence
        explanation = self.analysis.explanation
        softmax = explanation is None or "absorbed by softmax" in explanation.ledger.lines
        plain = self.analysis.attention == "attnlrp" and not softmax
        return f"{RULE_WORDS[self.analysis.rule].sentence} {NO_SOFTMAX if plain else ''}".strip()

    def _question(self, number: int) -> Question:
        analysis = self.analysis
        jets, current = analysis.sample.jets, analysis.selection.current
        assert jets is not None
        assert current is not None
        self._asked = (analysis.fitted, jets, current, analysis.how)
        return Question(public("explain"), (analysis.fitted, jets[current : current + 1]), analysis.arguments)

    def _take(self, found: Any) -> None:
        if self._asked is not None:
            self.analysis.take_explanation(*self._asked, found)

    def __panel__(self) -> pn.viewable.Viewable:
        made = row([self.method, self.rule], width=220, most=2)
        scored = row([self.signal, self.background, self.attention], width=120, most=3)
        return pn.Column(
            made, scored, self.said, self.warning, self.slow, sizing_mode="stretch_width", margin=0
        )
