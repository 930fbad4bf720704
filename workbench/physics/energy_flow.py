"""Energy-flow polynomials: every way to correlate the energies and angles within a jet, order by order.

Source: arXiv:1712.07124.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import permutations
from typing import NamedTuple

import numpy as np

from ..data.jets import Jets
from ..errors import DataError, nearest
from .kinematics import Rectangle, fraction, rectangles

MOST_EDGES = 5
"""Highest degree. With six edges four particles can all be joined, and sums over them are no matrix products any more."""

PAIRS_AT_ONCE = 100_000
"""Pairs of particles, of all jets together, that are worked on at once: their matrices fit into a cache."""

Edge = tuple[int, int]


@dataclass(frozen=True, order=True)
class Graph:
    """A connected multigraph without loops: a particle per vertex, an angle per edge.

    Attributes:
        edges: Pairs of vertices, numbered from 0; a pair that comes n times is the n-th power of its angle.
    """

    edges: tuple[Edge, ...]

    @property
    def vertices(self) -> int:
        """Number of particles that are correlated."""
        return 1 + max(max(edge) for edge in self.edges)

    @property
    def degree(self) -> int:
        """Number of edges: the power of the angles."""
        return len(self.edges)

    @property
    def name(self) -> str:
        """The edges as a column's name: "efp_01_01_02"."""
        return "_".join(["efp", *(f"{a}{b}" for a, b in self.edges)])

    @property
    def formula(self) -> str:
        """What is summed, in words: "Σ z0 z1 z2 θ01² θ02"."""
        powers = {edge: self.edges.count(edge) for edge in self.edges}
        angles = (f"θ{a}{b}{_superscript(n)}" for (a, b), n in powers.items())
        return " ".join(["Σ", *(f"z{i}" for i in range(self.vertices)), *angles])


def named(name: str) -> Graph:
    """Returns the graph of a name, "efp_01_01_02".

    Raises:
        DataError: it is no such name.
    """
    known = {graph.name: graph for graph in up_to(MOST_EDGES)}
    if name not in known:
        msg = (
            f"There is no energy-flow polynomial {name!r} of degree 1 to {MOST_EDGES}; {nearest(name, known)}"
        )
        raise DataError(msg)
    return known[name]


@cache
def graphs(degree: int) -> tuple[Graph, ...]:
    """Returns all connected multigraphs with this number of edges, each once however its vertices are numbered.

    There are 1, 2, 5, 12 and 33 of degree 1 to 5 (OEIS A076864); each grows by one edge from one of the degree below.

    Raises:
        DataError: a degree below 1 or above `MOST_EDGES`.
    """
    if not 1 <= degree <= MOST_EDGES:
        msg = f"Energy-flow polynomials of degree {degree} were asked for; choose a degree from 1 to {MOST_EDGES}."
        raise DataError(msg)
    if degree == 1:
        return (Graph(((0, 1),)),)
    grown = {_numbered((*graph.edges, edge)) for graph in graphs(degree - 1) for edge in _next(graph)}
    return tuple(Graph(edges) for edges in sorted(grown, key=lambda edges: (max(map(max, edges)), edges)))


def up_to(degree: int) -> tuple[Graph, ...]:
    """Returns the graphs of all degrees from 1 to `degree`, 53 for degree 5."""
    if degree > MOST_EDGES:
        return graphs(degree)
    return tuple(graph for d in range(1, degree + 1) for graph in graphs(d))


def energy_flow_polynomials(
    jets: Jets, which: Sequence[Graph] | int = 4, *, kappa: float = 1.0, beta: float = 1.0
) -> dict[str, np.ndarray]:
    """Returns the polynomials by name, each float64 of shape (jets,), no unit; nan for a jet without momentum.

    EFP_G = Σ_i1 ... Σ_iN z_i1 ... z_iN Π_(k,l) θ_ik,il, the product over the edges of G. z = pT^κ over the κ-th power of
    the scalar sum of the constituents' pT, θ = (Δy² + Δφ²)^(β/2) with rapidity and azimuth. Infrared and collinear safe
    for κ = 1 and β > 0. The cost is that of some matrix products of (particles x particles) per jet and graph.

    Args:
        jets: Jets.
        which: The graphs, or the highest degree, of which all graphs up to it are taken.
        kappa: Power of the momentum fraction.
        beta: Power of the angle, positive.

    Raises:
        DataError: a degree out of range, a beta that is not positive, or a graph whose sums are no matrix products.

    Source: arXiv:1712.07124, eqs. (1.1) and (2.6).
    """
    wanted = up_to(which) if isinstance(which, int) else tuple(which)
    if not beta > 0:
        msg = f"A beta of {beta} was asked for; angles need a positive power."
        raise DataError(msg)
    found = {graph.name: np.full(len(jets), np.nan) for graph in wanted}
    for particles in rectangles(jets):
        z = _shares(particles, kappa)
        at_once = max(1, PAIRS_AT_ONCE // max(1, z.shape[1]) ** 2)
        for first in range(0, len(z), at_once):
            part = slice(first, first + at_once)
            sums = Sums(z[part], _angles(particles, part) ** (beta / 2))
            for graph in wanted:
                found[graph.name][particles.rows[part]] = sums(graph)
    return found


def _shares(particles: Rectangle, kappa: float) -> np.ndarray:
    """Returns z, shape (rows, slots): 0 where no particle is, nan in jets without momentum."""
    whole = np.broadcast_to(particles.pt.sum(axis=1, keepdims=True), particles.pt.shape)
    share = fraction(particles.pt, whole)
    with np.errstate(divide="ignore"):  # of a negative kappa: nothing is asked of particles without momentum
        return np.where(particles.real & ~(share == 0), share**kappa, np.where(whole > 0, 0.0, np.nan))


def _angles(particles: Rectangle, part: slice) -> np.ndarray:
    """Returns squared angles, shape (rows, slots, slots)."""
    y, phi = particles.rapidity[part], particles.phi[part]
    apart = np.abs(phi[:, :, None] - phi[:, None, :])
    apart = np.minimum(apart, 2 * np.pi - apart)
    return (y[:, :, None] - y[:, None, :]) ** 2 + apart**2


class Factor(NamedTuple):
    """What remains of some particles after they were summed over, by what it is made of.

    Attributes:
        made_of: How it was made; factors made alike are equal.
        values: Over one particle, shape (rows, slots), or over two, shape (rows, slots, slots).
    """

    made_of: str
    values: np.ndarray


class Sums:
    """Sums over the particles of some jets, one particle after the other; what several graphs share is made once.

    A vertex with one neighbour leaves a vector over that neighbour, one with two a matrix over both, which is a product
    of matrices. Every graph of at most five edges always has such a vertex.

    Args:
        z: Momentum fractions, shape (rows, slots), 0 beyond the last particle.
        theta: Angles, shape (rows, slots, slots).
    """

    def __init__(self, z: np.ndarray, theta: np.ndarray) -> None:
        self._z, self._theta = Factor("z", z), theta
        self._known: dict[str, np.ndarray] = {}

    def __call__(self, graph: Graph) -> np.ndarray:
        """Returns the polynomial of each jet, shape (rows,)."""
        points = dict.fromkeys(range(graph.vertices), self._z)
        links = {edge: self._power(graph.edges.count(edge)) for edge in graph.edges}
        while len(points) > 1:
            joined = {vertex: [link for link in links if vertex in link] for vertex in points}
            vertex = min(points, key=lambda v: (len(joined[v]), v))
            if len(joined[vertex]) > 2:
                msg = f"The sums of {graph.name} are no matrix products; take graphs of at most {MOST_EDGES} edges."
                raise DataError(msg)
            at = points.pop(vertex)
            ends = sorted((a + b - vertex, links.pop((a, b))) for a, b in joined[vertex])
            (first, *_), (last, *_) = ends[0], ends[-1]
            toward = [self._turned(link) if end > vertex else link for end, link in ends]
            if len(ends) == 1:
                points[first] = self._times(points[first], self._out(toward[0], at))
            else:
                chain = self._chain(toward[0], at, self._turned(toward[1]))
                there = links.get((first, last))
                links[first, last] = chain if there is None else self._times(there, chain)
        return next(iter(points.values())).values.sum(axis=1)

    def _made(self, made_of: str, make: Callable[[], np.ndarray]) -> Factor:
        if made_of not in self._known:
            self._known[made_of] = make()
        return Factor(made_of, self._known[made_of])

    def _power(self, n: int) -> Factor:
        return self._made(f"t{n}", lambda: self._theta**n)

    def _times(self, one: Factor, other: Factor) -> Factor:
        first, second = sorted((one, other), key=lambda factor: factor.made_of)
        return self._made(f"({first.made_of}*{second.made_of})", lambda: first.values * second.values)

    def _out(self, link: Factor, at: Factor) -> Factor:
        """Sums over the particle of the columns."""
        return self._made(
            f"[{link.made_of}.{at.made_of}]", lambda: (link.values @ at.values[:, :, None])[:, :, 0]
        )

    def _chain(self, left: Factor, at: Factor, right: Factor) -> Factor:
        """Sums over the particle between two others."""
        return self._made(
            f"[{left.made_of}.{at.made_of}.{right.made_of}]",
            lambda: (left.values * at.values[:, None, :]) @ right.values,
        )

    def _turned(self, link: Factor) -> Factor:
        """Exchanges the two particles; powers of angles are symmetric."""
        name = link.made_of
        turned = name if name.startswith("t") else name[2:-1] if name.startswith("~(") else f"~({name})"
        return Factor(turned, link.values.transpose(0, 2, 1))


def _next(graph: Graph) -> Iterator[Edge]:
    """Yields the edges that may come next: between two vertices of the graph, or from one to a new vertex."""
    n = graph.vertices
    yield from ((a, b) for a in range(n) for b in range(a + 1, n + 1))


def _numbered(edges: Sequence[Edge]) -> tuple[Edge, ...]:
    """Returns the edges with the vertices numbered so that equal graphs have equal edges: the first of all numberings."""
    n = 1 + max(map(max, edges))
    numberings = np.array(list(permutations(range(n))))
    ends = np.sort(numberings[:, np.array(edges)], axis=2)
    codes = np.sort(ends[:, :, 0] * n + ends[:, :, 1], axis=1)
    first = codes[np.lexsort(codes.T[::-1])[0]]
    return tuple((int(code) // n, int(code) % n) for code in first)


def _superscript(n: int) -> str:
    return "" if n == 1 else "".join("⁰¹²³⁴⁵⁶⁷⁸⁹"[int(digit)] for digit in str(n))
