"""A file becomes jets, events or showers, whatever its format."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import awkward as ak
import numpy as np

from .data import formats
from .data.events import Events
from .data.jets import Jets, concatenate, joined, momenta, relabelled
from .data.origin import Origin
from .data.showers import Showers
from .errors import DataError, nearest
from .physics.clustering import cluster

KINDS: dict[str, type] = {"jets": Jets, "events": Events, "showers": Showers}
RADIUS = 0.8
WIDE = 0.6
"""From this radius on, a file's own fat jets are preferred to its jets."""
PT_MIN = 20.0


def load(
    path: str | Path | Sequence[str | Path],
    *,
    kind: str | None = None,
    start: int = 0,
    stop: int | None = None,
    units: str | None = None,
    radius: float | None = None,
    pt_min: float | None = None,
    eta_max: float | None = None,
    leading: int | None = None,
    **options: Any,
) -> Jets | Events | Showers:
    """Returns what a file holds; its format is recognised from its content.

    Args:
        path: A file, or several of one kind, which are joined in order; classes of equal name are one.
        kind: "jets" turns events into jets: the file's own where their constituents are stored, else anti-kT jets of
            "particles". "events" and "showers" insist on these. None takes what there is.
        start: First row (jet, event or shower) of each file.
        stop: One past the last row of each file; beyond the end is the end.
        units: Energy unit of the file, "GeV" or "MeV", where its format leaves it open.
        radius: Radius of the jets to make, by default 0.8; of a file's own jets, "fat_jets" are taken from 0.6 on, else "jets".
        pt_min: Lowest pt of jets made from events in GeV; by default 20 where they are clustered, none for a file's own.
        eta_max: Largest |eta| of jets made from events.
        leading: At most so many jets per event.
        options: What the format takes besides, such as `geometry` for showers.

    Raises:
        DataError: unknown format or kind, damaged file, nothing that could be made into jets, a cut on jets where none are made.
    """
    asked = {"radius": radius, "pt_min": pt_min, "eta_max": eta_max, "leading": leading}
    cuts: dict[str, Any] = {name: value for name, value in asked.items() if value is not None}
    if kind is not None and kind not in KINDS:
        msg = f"Unknown kind {kind!r}; {nearest(kind, KINDS)}"
        raise DataError(msg)
    paths = [path] if isinstance(path, str | Path) else list(path)
    if not paths:
        msg = "No file to load; give at least one path."
        raise DataError(msg)
    samples: list[Jets | Events | Showers] = []
    for one in paths:
        sample = formats.read(one, start=start, stop=stop, units=units, **options)
        if kind == "jets" and isinstance(sample, Events):
            sample = jets_of(sample, **cuts)
        elif cuts:
            hint = 'say kind="jets" to make them' if isinstance(sample, Events) else "use select"
            msg = f"{', '.join(cuts)} cut on jets made from events, but {Path(one).name} gives {_kind_of(sample)}; {hint}."
            raise DataError(msg)
        if kind is not None and not isinstance(sample, KINDS[kind]):
            msg = f"{Path(one).name} holds {_kind_of(sample)}, which cannot be made into {kind}."
            raise DataError(msg)
        samples.append(sample)
    return samples[0] if len(samples) == 1 else together(samples)


def jets_of(
    events: Events,
    *,
    radius: float = RADIUS,
    pt_min: float | None = None,
    eta_max: float | None = None,
    leading: int | None = None,
) -> Jets:
    """Returns the jets of events: their own where constituents are stored, else clustered from "particles".

    Args are those of `load`.

    Raises:
        DataError: neither particles nor jets with constituents, or a cut that makes no sense.
    """
    order = ("fat_jets", "jets") if radius >= WIDE else ("jets", "fat_jets")
    if leading is not None and leading < 1:
        msg = f"At most {leading} jets per event were asked for; ask for at least 1."
        raise DataError(msg)
    own = [name for name in order if "constituents" in ak.fields(events.collections.get(name, ()))]
    if own:
        return _own(events, own[0], pt_min, eta_max, leading)
    if "particles" not in events.collections:
        msg = f'{events.origin.name} has neither particles to cluster nor jets with constituents (it has {", ".join(events.collections)}); load it with kind="events".'
        raise DataError(msg)
    low = PT_MIN if pt_min is None else pt_min
    return cluster(events, radius=radius, pt_min=low, eta_max=eta_max, leading=leading)


def _own(events: Events, name: str, pt_min: float | None, eta_max: float | None, leading: int | None) -> Jets:
    jets = events[name]
    keep = (jets.pt > (-np.inf if pt_min is None else pt_min)) & (
        abs(jets.eta) < (np.inf if eta_max is None else eta_max)
    )
    jets = jets[keep]
    jets = jets[ak.argsort(jets.pt, axis=1, ascending=False)][:, :leading]
    event = np.repeat(np.arange(len(events)), ak.to_numpy(ak.num(jets)))
    flat = ak.flatten(jets)
    p4 = momenta(**{x: flat[x] for x in ("pt", "eta", "phi", "mass")})
    fields = [x for x in ak.fields(flat) if x not in ("constituents", "pt", "eta", "phi", "mass")]
    columns = {x: column[event] for x, column in events.columns.items()}
    columns |= {f"jet_{x}": flat[x] for x in fields} | {"event_index": event}
    step = f"took the file's own {name}: {len(flat)} of {int(ak.sum(ak.num(events[name])))} jets in {len(events)} events"
    return Jets.of(
        flat.constituents,
        p4=p4,
        label=np.asarray(events.label)[event],
        classes=events.classes,
        weight=events.weight[event],
        columns=columns,
        origin=events.origin.then(step),
    )


def _kind_of(sample: Jets | Events | Showers) -> str:
    return next(name for name, made in KINDS.items() if isinstance(sample, made))


def together(samples: list[Jets | Events | Showers]) -> Jets | Events | Showers:
    """Returns samples of one kind as one, in order.

    Raises:
        DataError: they hold different things.
    """
    kinds = {_kind_of(sample) for sample in samples}
    if len(kinds) > 1:
        msg = f"These files hold different things ({', '.join(sorted(kinds))}); load them one by one."
        raise DataError(msg)
    if kinds == {"jets"}:
        return concatenate([sample for sample in samples if isinstance(sample, Jets)])
    if kinds == {"events"}:
        return _joined_events([sample for sample in samples if isinstance(sample, Events)])
    return _joined_showers([sample for sample in samples if isinstance(sample, Showers)])


def _joined_events(samples: list[Events]) -> Events:
    classes = tuple(dict.fromkeys(name for sample in samples for name in sample.classes))
    collections, lost = joined(sample.collections for sample in samples)
    columns, lost_columns = joined(sample.columns for sample in samples)
    origin = Origin.joined([sample.origin for sample in samples])
    if lost + lost_columns:
        origin = origin.then(f"joined; not in every part and left out: {', '.join(lost + lost_columns)}")
    return Events(
        collections,
        label=relabelled(samples, classes),
        classes=classes,
        weight=np.concatenate([sample.weight for sample in samples]),
        columns=columns,
        origin=origin,
    )


def _joined_showers(samples: list[Showers]) -> Showers:
    if len({sample.geometry for sample in samples}) > 1:
        msg = "These files have showers of different geometries; load them one by one."
        raise DataError(msg)
    return replace(
        samples[0],
        energies=np.concatenate([sample.energies for sample in samples]),
        incident=np.concatenate([sample.incident for sample in samples]),
        origin=Origin.joined([sample.origin for sample in samples]),
    )
