"""Paths of particles in a magnetic field along the beam: GeV, m, T."""

import numpy as np

BEND = 0.299792458
"""pT [GeV] = 0.2998 |q| B [T] R [m]."""

POINTS = 25
"""Along a bent path; a straight one has its two ends."""


def radius(pt: np.ndarray, charge: np.ndarray, field: float) -> np.ndarray:
    """Returns the radius in m of the circle across the field, same shape; infinite where nothing bends or the charge is not known."""
    pull = BEND * np.abs(np.nan_to_num(charge)) * abs(field)
    return np.divide(pt, pull, out=np.full(np.shape(pull), np.inf), where=pull > 0)


def along(particles: np.ndarray, field: float, s: np.ndarray) -> np.ndarray:
    """Returns x, y, z in m after the transverse path lengths `s`, shape (rows, steps, 3).

    A positive charge turns clockwise when seen against the field, as the force q v x B says.

    Args:
        particles: Rows of a scene's "particles".
        field: Along z in T.
        s: In m, shape (rows, steps).
    """
    eta, phi, charge = particles[:, 1], particles[:, 2], np.nan_to_num(particles[:, 3])
    turn = np.sign(charge * field) / radius(particles[:, 0], charge, field)
    angle = phi[:, None] - turn[:, None] * s / 2
    # The chord of an arc of length s: it keeps its precision where the circle is huge.
    chord = s * np.sinc(turn[:, None] * s / (2 * np.pi))
    x, y = (particles[:, 5 + i, None] + chord * f(angle) for i, f in enumerate((np.cos, np.sin)))
    return np.stack([x, y, particles[:, 7, None] + s * np.sinh(eta)[:, None]], axis=2)


def exits(particles: np.ndarray, field: float, cylinder: tuple[float, float]) -> np.ndarray:
    """Returns the transverse path length in m at which each particle leaves a cylinder (radius, half length), at most one turn."""
    limit, half = cylinder
    pt, eta, phi, charge = particles[:, :4].T
    start = particles[:, 5] + 1j * particles[:, 6]
    r = radius(pt, charge, field)
    k = np.sign(np.nan_to_num(charge) * field) / r
    ahead = np.real(start * np.exp(-1j * phi))
    straight = -ahead + np.sqrt(np.maximum(ahead**2 + limit**2 - np.abs(start) ** 2, 0.0))
    bent = k != 0
    # On the circle the place is C + A exp(-iks); it leaves where its length is the cylinder's radius.
    a = 1j * np.exp(1j * phi) / np.where(bent, k, 1.0)
    c = start - a
    product = 2 * np.abs(c) * np.abs(a)
    u = np.divide(
        limit**2 - np.abs(c) ** 2 - np.abs(a) ** 2,
        product,
        out=np.full(len(pt), 2.0),
        where=bent & (product > 0),
    )
    offset = np.angle(np.conj(c) * a)
    crossing = np.arccos(np.clip(u, -1, 1))
    turns = np.stack([offset - crossing, offset + crossing]) * np.sign(k)
    first = np.min(np.mod(turns, 2 * np.pi), axis=0)
    outwards = np.where(bent, np.where(np.abs(u) <= 1, first, 2 * np.pi) * np.where(bent, r, 0.0), straight)
    rise = np.sinh(eta)
    with np.errstate(divide="ignore", invalid="ignore"):
        lengthwise = np.where(rise != 0, (half - np.sign(rise) * particles[:, 7]) / np.abs(rise), np.inf)
    return np.asarray(np.maximum(np.minimum(outwards, lengthwise), 0.0))


def paths(particles: np.ndarray, field: float, cylinder: tuple[float, float]) -> list[np.ndarray]:
    """Returns the path of each particle up to a cylinder, arrays (points, 3) in m."""
    rows = np.asarray(particles, dtype=np.float64)
    end = exits(rows, field, cylinder)
    line = along(rows, field, end[:, None] * np.linspace(0, 1, POINTS))
    bent = np.isfinite(radius(rows[:, 0], rows[:, 3], field))
    return [
        points if curls else points[[0, -1]]
        for points, curls in zip(line.astype(np.float32), bent, strict=True)
    ]
