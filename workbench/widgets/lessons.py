"""What each pane teaches: what it shows, why it matters, one formula, one question with its answer."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """Two sentences, one formula, one question. Plain text; a formula is one line of Unicode."""

    what: str
    why: str
    formula: str
    question: str
    answer: str
    source: str = ""


LESSONS: dict[str, Lesson] = {
    "mass": Lesson(
        what="The invariant mass of all constituents of the jet, drawn for each class.",
        why="A top quark, W, Z or Higgs that decays inside one jet leaves its mass there; the jet of a light quark or gluon has only the mass of its own radiation.",
        formula="m² = (Σ Eᵢ)² − |Σ pᵢ|²",
        question="Why do the jets of a light quark at 550 GeV have masses of 50 GeV and more?",
        answer="Radiation at a distance ΔR with the share z of the momentum gives m² ≈ z(1−z) pT² ΔR²; one gluon with a tenth of pT at ΔR = 0.4 already gives 66 GeV.",
        source="arXiv:1901.10342",
    ),
}
"""By the name of the pane."""
