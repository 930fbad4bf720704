"""What passed each layer, and each head, of a network on the way back to the inputs."""

import awkward as ak
import numpy as np

from ..data.explanation import Explanation
from .graph import EDGES

HEADS = "heads of "
"""How the names of recorded heads begin; the layer follows."""


def columns(explanation: Explanation) -> dict[str, np.ndarray]:
    """Returns one row per recorded layer and head of the only jet, inputs first: "layer", "relevance", "absolute".

    "relevance" is the sum over all values of the layer, in units of the score; with what layers beside it carry (a shortcut,
    the edges) and what biases added since, it is the score at every depth. "absolute" is the sum over particles of |relevance|.
    Edges are not among them, see `graph.shortcuts`. Nothing where no rule went through the layers.
    """
    if "rule" not in explanation.how:
        return {}
    rows = [row for name, values in explanation.recorded.items() for row in _rows(name, values)][::-1]
    return {
        "layer": np.array([name for name, *_ in rows], dtype=object),
        "relevance": np.array([total for _, total, _ in rows], dtype=float),
        "absolute": np.array([size for *_, size in rows], dtype=float),
    }


def _rows(name: str, values: ak.Array | np.ndarray) -> list[tuple[str, float, float]]:
    if name.startswith((EDGES, "input ")):
        return []
    one = ak.to_numpy(ak.Array(values)[0:1])[0]
    if name.startswith(HEADS) and np.ndim(one):
        heads = one.reshape(len(one), -1)
        return [
            (f"{name}, head {i + 1}", float(head.sum()), float(np.abs(head).sum()))
            for i, head in reversed(list(enumerate(heads)))
        ]
    return [(name, float(np.sum(one)), float(np.abs(one).sum()))]
