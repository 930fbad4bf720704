"""The ways to explain that are compared with one another, by the name that a plot gives them."""

from collections.abc import Mapping
from typing import Any

WAYS: Mapping[str, Mapping[str, Any]] = {
    "LRP ε": {"rule": "epsilon"},
    "LRP 0": {"rule": "0"},
    "LRP γ": {"rule": "gamma"},
    "LRP γ, ε": {"rule": "gamma-epsilon"},
    "LRP z⁺": {"rule": "z+"},
    "LRP α2β1": {"rule": "alpha2beta1"},
    "LRP w², ε": {"rule": "w2-epsilon"},
    "LRP flat, ε": {"rule": "flat-epsilon"},
    "LRP ε, CP": {"rule": "epsilon", "attention": "cp"},
    "integrated gradients": {"method": "integrated gradients"},
    "DeepLift": {"method": "deeplift"},
    "occlusion": {"method": "occlusion"},
    "Shapley sampling": {"method": "shapley sampling"},
    "leave one out": {"method": "leave one out"},
}
"""Ways to explain, as arguments of `explain`; CP takes attention weights as given."""

USUAL = ("LRP ε", "LRP γ", "LRP z⁺", "integrated gradients", "occlusion", "leave one out")
"""Those compared unless others are asked for."""


def way_of(rule: str, method: str = "lrp", attention: str = "attnlrp") -> str:
    """Returns the name of a way to explain, as `explain` takes it; "" for one that has none."""
    beside = {"attention": attention} if attention != "attnlrp" else {}
    asked = {"method": method} if method != "lrp" else {"rule": rule, **beside}
    return next((name for name, way in WAYS.items() if dict(way) == asked), "")
