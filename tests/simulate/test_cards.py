"""Detectors by name, and as a few JSON values."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest

from workbench.errors import SimulationError
from workbench.simulate.cards import ATLAS, CARDS, CMS, described, detector_of

OWN = replace(CMS, name="blunt", tracker=replace(CMS.tracker, d0=(0.1, 0.2)))


def through_json(value):
    return json.loads(json.dumps(value))


@pytest.mark.parametrize("detector", [None, ATLAS, CMS, OWN, replace(ATLAS, ecal=CMS.hcal)])
def test_what_is_described_is_read_back_equal(detector):
    assert detector_of(through_json(described(detector))) == detector


def test_a_card_is_described_by_its_name_and_others_by_what_differs():
    assert [described(card) for card in (ATLAS, CMS)] == ["ATLAS", "CMS"]
    assert described(OWN) == {"like": "CMS", "name": "blunt", "tracker": {"d0": (0.1, 0.2)}}


@pytest.mark.parametrize("detector", [ATLAS, OWN])
def test_the_full_list_of_numbers_that_older_samples_carry_is_read(detector):
    assert detector_of(through_json(asdict(detector))) == detector


@pytest.mark.parametrize(("name", "digest"), [("ATLAS", "97f19a189cdbca6e"), ("CMS", "09a71546aa8cd7e7")])
def test_the_numbers_of_a_card_never_change(name, digest):
    numbers = json.dumps(asdict(CARDS[name]), sort_keys=True)
    assert hashlib.sha256(numbers.encode()).hexdigest()[:16] == digest


@pytest.mark.parametrize(
    ("description", "sentence"),
    [
        ("ATLSA", "no detector 'ATLSA'; did you mean 'ATLAS'"),
        ({"like": "CMS", "hcl": {}}, "A detector has no property 'hcl'; did you mean 'hcal'"),
        ({"tracker": {"ph": (0, 0)}}, "A tracker has no property 'ph'; did you mean 'phi'"),
        (3, "found 3"),
    ],
)
def test_what_no_detector_has_is_said(description, sentence):
    with pytest.raises(SimulationError, match=sentence):
        detector_of(description)
