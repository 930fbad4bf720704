"""What can be asked of the generator: processes, tunes, and what a process's jet must contain."""

from dataclasses import dataclass

from ..errors import SimulationError, nearest

HADRONIC = "1 2 3 4 5"


@dataclass(frozen=True)
class Process:
    """A kind of jet and where it comes from.

    Attributes:
        name: What the user calls it; the name of the class.
        settings: Pythia settings that generate it at leading order.
        resonance: |PDG id| of the particle whose decay quarks must all lie within the jet; 0 for parton jets.
        partons: |PDG id| that the nearest outgoing parton of the hard scattering must have; empty for any.
        source: What is generated, in words.
    """

    name: str
    settings: tuple[str, ...]
    resonance: int = 0
    partons: tuple[int, ...] = ()
    source: str = ""


PROCESSES = {
    process.name: process
    for process in (
        Process("QCD", ("HardQCD:all = on",), source="dijets, not matched"),
        Process(
            "top",
            ("Top:gg2ttbar = on", "Top:qqbar2ttbar = on", "24:onMode = off", f"24:onIfAny = {HADRONIC}"),
            resonance=6,
            source="top pairs, both W to quarks",
        ),
        Process(
            "W",
            ("WeakDoubleBoson:ffbar2WW = on", "24:onMode = off", f"24:onIfAny = {HADRONIC}"),
            resonance=24,
            source="W pairs, both to quarks",
        ),
        Process(
            "Z",
            (
                "WeakDoubleBoson:ffbar2gmZgmZ = on",
                "WeakZ0:gmZmode = 2",
                "23:onMode = off",
                f"23:onIfAny = {HADRONIC}",
            ),
            resonance=23,
            source="Z pairs without photon interference, both to quarks",
        ),
        Process(
            "Higgs",
            (
                "HiggsSM:ffbar2HZ = on",
                "25:onMode = off",
                "25:onIfMatch = 5 -5",
                "23:onMode = off",
                "23:onIfAny = 12 14 16",
            ),
            resonance=25,
            source="HZ, H to b quarks, Z to neutrinos",
        ),
        Process(
            "quark",
            ("HardQCD:all = on",),
            partons=(1, 2, 3),
            source="dijets, nearest outgoing parton u, d or s",
        ),
        Process(
            "gluon", ("HardQCD:all = on",), partons=(21,), source="dijets, nearest outgoing parton a gluon"
        ),
    )
}
"""Every process by its name."""

TUNES = {
    "Monash": ("Tune:pp = 14",),
    "A14": ("Tune:pp = 21",),
    "CP5-like": (
        "Tune:pp = 14",
        "PDF:pSet = 20",
        "MultipartonInteractions:ecmPow = 0.03344",
        "MultipartonInteractions:bProfile = 2",
        "MultipartonInteractions:pT0Ref = 1.41",
        "MultipartonInteractions:coreRadius = 0.7634",
        "MultipartonInteractions:coreFraction = 0.63",
        "MultipartonInteractions:alphaSvalue = 0.118",
        "MultipartonInteractions:alphaSorder = 2",
        "ColourReconnection:range = 5.176",
        "SigmaProcess:alphaSvalue = 0.118",
        "SigmaProcess:alphaSorder = 2",
        "SpaceShower:alphaSvalue = 0.118",
        "SpaceShower:alphaSorder = 2",
        "TimeShower:alphaSvalue = 0.118",
        "TimeShower:alphaSorder = 2",
    ),
    "Vincia": ("PartonShowers:model = 2",),
}
"""Sets of Pythia settings: Monash 2013 (arXiv:1404.5630), ATLAS A14 with NNPDF2.3 (ATL-PHYS-PUB-2014-021), after CMS CP5
(arXiv:1903.12179; Pythia's own NNPDF3.1 NNLO set, its default cross sections), the Vincia shower with its own tune."""


def process_named(name: str) -> Process:
    """Returns the process of that name.

    Raises:
        SimulationError: there is none.
    """
    if name not in PROCESSES:
        msg = f"There is no process {name!r}; {nearest(name, PROCESSES)}"
        raise SimulationError(msg)
    return PROCESSES[name]
