"""Jets with a varying number of constituents."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import awkward as ak
import numpy as np
import vector

from ..errors import DataError, nearest
from .classes import ClassArray, labels
from .origin import Origin, fingerprint
from .rows import chosen

vector.register_awkward()

MOMENTUM = ("pt", "eta", "phi", "mass")
"""The four fields every constituent and every jet has: GeV, 1, rad, GeV."""

OPTIONAL = ("pid", "charge", "d0", "d0_error", "dz", "dz_error", "vertex", "weight")
"""Fields a constituent may have besides: PDG id, charge in e, impact parameters and errors in mm,
index of the vertex it came from (0 = hard collision), PUPPI-like weight."""

OF_CONSTITUENTS = frozenset(
    (
        *MOMENTUM,
        *("energy", "multiplicity", "girth", "pt_dispersion", "sd_mass", "sd_z", "sd_deltar"),
        *("tau1", "tau2", "tau3", "tau21", "tau32", "e2", "e3", "c2", "d2"),
    )
)
"""Columns that are measured of a jet, see `physics.observables`: they do not hold for other constituents."""


def momenta(**fields: ak.Array | np.ndarray) -> ak.Array:
    """Zips pt, eta, phi, mass and any further fields into records with Momentum4D behaviour."""
    return ak.zip(fields, with_name="Momentum4D")


def wrapped(phi: np.ndarray) -> np.ndarray:
    """Returns angles in rad moved into (-pi, pi], same shape."""
    return phi - 2 * np.pi * np.ceil(phi / (2 * np.pi) - 0.5)


@dataclass(frozen=True)
class Jets:
    """A sample of jets.

    Attributes:
        constituents: Momentum4D records, shape (jets, var), hardest first; fields `MOMENTUM` and any of `OPTIONAL`.
            pt and mass in GeV, phi in rad in (-pi, pi]. A jet may have none.
        p4: Four-momentum of each jet as its source states it, Momentum4D records, shape (jets,).
        label: Index into `classes`, shape (jets,), carries the names (`label == "top"`); -1 where the class is not known.
        classes: Names of the classes, ("QCD", "top").
        weight: Event weight, shape (jets,); may be negative.
        columns: What else the source says of each jet, by its name in the source or by the observable's name;
            first axis jets ("tau1", "jet_sdmass", "event_number", "truth").
        origin: Where the sample came from.

    Raises:
        DataError: lengths differ, a field is missing, a label is out of range, a value is not finite, pt or energy is negative.
    """

    constituents: ak.Array
    p4: ak.Array
    label: ClassArray | np.ndarray
    classes: tuple[str, ...]
    weight: np.ndarray
    columns: Mapping[str, ak.Array | np.ndarray] = field(default_factory=dict)
    origin: Origin = field(default_factory=lambda: Origin("unnamed"))

    def __post_init__(self) -> None:
        for what, records in (("constituents", self.constituents), ("jets", self.p4)):
            missing = [name for name in MOMENTUM if name not in ak.fields(records)]
            if missing:
                msg = f"The {what} lack {', '.join(missing)}; found {', '.join(ak.fields(records)) or 'no fields'}."
                raise DataError(msg)
        lengths = {
            "constituent lists": len(self.constituents),
            "four-momenta": len(self.p4),
            "labels": len(self.label),
            "weights": len(self.weight),
            **{f"values of {name!r}": len(column) for name, column in self.columns.items()},
        }
        if len(set(lengths.values())) > 1:
            msg = f"Every column needs one entry per jet; found {', '.join(f'{n} {w}' for w, n in lengths.items())}."
            raise DataError(msg)
        object.__setattr__(self, "label", labels(self.label, self.classes))
        if not np.isfinite(np.asarray(self.weight, dtype=float)).all():
            msg = f"{np.sum(~np.isfinite(self.weight))} of {len(self)} weights are not finite; drop or repair them."
            raise DataError(msg)
        _check_momenta("constituents", ak.flatten(self.constituents, axis=1))
        _check_momenta("jets", self.p4)

    @classmethod
    def of(
        cls,
        constituents: ak.Array,
        *,
        p4: ak.Array | None = None,
        label: np.ndarray | Sequence[int] | None = None,
        classes: Sequence[str] = (),
        weight: np.ndarray | None = None,
        columns: Mapping[str, Any] | None = None,
        origin: Origin | None = None,
    ) -> "Jets":
        """Builds jets from constituents; what is not given is summed (p4), unknown (label -1) or one (weight)."""
        n = len(constituents)
        constituents = ak.with_name(constituents, "Momentum4D")
        if not _hardest_first(constituents.pt):
            constituents = constituents[ak.argsort(constituents.pt, axis=1, ascending=False, stable=True)]
        return cls(
            constituents,
            p4=summed(constituents) if p4 is None else ak.with_name(p4, "Momentum4D"),
            label=np.full(n, -1) if label is None else np.asarray(label, dtype=np.int64),
            classes=tuple(classes),
            weight=np.ones(n) if weight is None else np.asarray(weight, dtype=np.float64),
            columns=dict(columns or {}),
            origin=origin or Origin("unnamed"),
        )

    def __len__(self) -> int:
        return len(self.constituents)

    def __repr__(self) -> str:
        known = ", ".join(f"{int(self.is_class(name).sum()):,} {name}" for name in self.classes)
        return f"Jets({len(self):,}{': ' + known if known else ''}; {self.origin.name}, {self.origin.kind})"

    def __getitem__(self, keep: Any) -> "Jets":
        """Returns the jets that a slice, mask or index array keeps; one integer keeps one jet."""
        keep = chosen(keep, len(self), "jet")
        return replace(
            self,
            constituents=self.constituents[keep],
            p4=self.p4[keep],
            label=self.label[keep],
            weight=self.weight[keep],
            columns={name: column[keep] for name, column in self.columns.items()},
        )

    @property
    def counts(self) -> np.ndarray:
        """Number of constituents of each jet, shape (jets,)."""
        return ak.to_numpy(ak.num(self.constituents, axis=1))

    def is_class(self, name: str) -> np.ndarray:
        """Returns True for the jets of class `name`, shape (jets,)."""
        return np.asarray(self.label) == self.class_index(name)

    def class_index(self, name: str) -> int:
        """Returns the label of class `name`."""
        if name not in self.classes:
            msg = f"There is no class {name!r} in this sample; {nearest(name, self.classes)}"
            raise DataError(msg)
        return self.classes.index(name)

    def with_columns(self, **columns: ak.Array | np.ndarray) -> "Jets":
        """Returns the same jets with further columns."""
        return replace(self, columns={**self.columns, **columns})

    @property
    def lasting(self) -> dict[str, ak.Array | np.ndarray]:
        """The columns that hold for a jet made of this one's constituents too: all but those measured of them."""
        return {name: column for name, column in self.columns.items() if name not in OF_CONSTITUENTS}

    @cached_property
    def fingerprint(self) -> str:
        """16 hex digits that identify the contents (not the origin)."""
        return fingerprint([self.constituents, self.p4, self.label, self.weight, *self.classes])


def concatenate(samples: Sequence[Jets], origin: Origin | None = None) -> Jets:
    """Returns one sample of several, in order; classes of equal name are one class, columns and fields in common are kept.

    What is not in every sample is named in the origin's steps, so that nothing is lost silently.
    """
    if not samples:
        msg = "Nothing to concatenate: give at least one sample."
        raise DataError(msg)
    classes = tuple(dict.fromkeys(name for sample in samples for name in sample.classes))
    records, lost = joined({"constituents": s.constituents, "p4": s.p4} for s in samples)
    columns, lost_columns = joined(s.columns for s in samples)
    origin = origin or Origin.joined([s.origin for s in samples])
    if lost := [name.removeprefix("constituents.") for name in lost] + lost_columns:
        origin = origin.then(f"joined; not in every part and left out: {', '.join(lost)}")
    return Jets(
        records["constituents"],
        p4=records["p4"],
        label=relabelled(samples, classes),
        classes=classes,
        weight=np.concatenate([s.weight for s in samples]),
        columns=columns,
        origin=origin,
    )


def relabelled(samples: Sequence[Any], classes: Sequence[str]) -> np.ndarray:
    """Returns the labels of samples one after the other, as indices into `classes`, which has the names of all."""
    return np.concatenate(
        [
            np.array([classes.index(name) for name in sample.classes] + [-1], dtype=np.int64)[
                np.asarray(sample.label)
            ]
            for sample in samples
        ]
    )


def joined(parts: Iterable[Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """Returns arrays of one name one after the other, of records the fields in common, and the names of what is left out.

    Arrays of numpy stay so; a field is named after its array, with a dot between.
    """
    parts = list(parts)
    kept: dict[str, Any] = {}
    lost = {name for part in parts for name in part if any(name not in other for other in parts)}
    for name in parts[0]:
        if name in lost:
            continue
        arrays = [part[name] for part in parts]
        if not any(ak.fields(array) for array in arrays):
            as_numpy = all(isinstance(array, np.ndarray) for array in arrays)
            kept[name] = np.concatenate(arrays) if as_numpy else ak.concatenate(arrays)
            continue
        alike, without = _alike(arrays)
        lost |= {f"{name}.{field}" for field in without}
        kept[name] = ak.concatenate(alike)
    return kept, sorted(lost)


def _alike(arrays: Sequence[ak.Array]) -> tuple[list[ak.Array], set[str]]:
    """Returns records with the fields in common, nested ones too, and the names of the other fields."""
    names = [name for name in ak.fields(arrays[0]) if all(name in ak.fields(array) for array in arrays)]
    lost = {name for array in arrays for name in ak.fields(array)} - set(names)
    # Choosing fields takes the behaviour of four-momenta away.
    kind = arrays[0].layout.purelist_parameter("__record__")
    chosen = [ak.with_name(array[names], kind) for array in arrays]
    for name in names:
        if ak.fields(arrays[0][name]):
            inner, without = _alike([array[name] for array in arrays])
            lost |= {f"{name}.{field}" for field in without}
            chosen = [ak.with_field(array, field, name) for array, field in zip(chosen, inner, strict=True)]
    return chosen, lost


def summed(constituents: ak.Array) -> ak.Array:
    """Returns the four-momentum sum of each list, Momentum4D in pt, eta, phi, mass, shape (jets,); zero for an empty list."""
    px, py, pz, energy = (
        ak.to_numpy(ak.sum(getattr(constituents, c), axis=1)) for c in ("px", "py", "pz", "energy")
    )
    pt = np.hypot(px, py)
    with np.errstate(divide="ignore", invalid="ignore"):
        eta = np.where(pt > 0, np.arcsinh(pz / pt), 0.0)
    mass = np.sqrt(np.maximum(energy**2 - pt**2 - pz**2, 0.0))
    return momenta(pt=pt, eta=eta, phi=np.arctan2(py, px), mass=mass)


def _hardest_first(pt: ak.Array) -> bool:
    flat, counts = ak.to_numpy(ak.flatten(pt)), ak.to_numpy(ak.num(pt))
    may_rise = np.zeros(len(flat) + 1, dtype=bool)
    may_rise[np.cumsum(counts)] = True
    return bool((may_rise[1:-1] | (flat[1:] <= flat[:-1])).all())


def _check_momenta(what: str, records: ak.Array) -> None:
    for name in MOMENTUM:
        values = ak.to_numpy(records[name])
        bad = np.flatnonzero(~np.isfinite(values))
        if bad.size:
            msg = f"{bad.size} of {values.size} {what} have a {name} that is not a finite number (first: entry {bad[0]}); repair or drop them."
            raise DataError(msg)
    negative = np.flatnonzero(ak.to_numpy(records["pt"]) < 0)
    if negative.size:
        msg = (
            f"{negative.size} {what} have a negative pt (first: entry {negative[0]}); pt is a length in GeV."
        )
        raise DataError(msg)
