"""The 3D display without a browser: what it is given, what it keeps, what its files hold."""

import base64
import json
import re
import sys
from types import ModuleType

import numpy as np
import pytest
import traitlets

from workbench.errors import WorkbenchError
from workbench.views.detectors import DETECTORS
from workbench.views.event import COLUMNS, Scene
from workbench.widgets.display3d import ARRAYS, BUNDLE, VIEW, Display3D, host
from workbench.widgets.standalone import standalone

NAN = float("nan")
EVIL = "</script><script>window.owned = 1</script><img src=x onerror='window.owned = 2'>"


def scene(title="Event 0 of 1", detector="CMS-like", **arrays):
    header = {
        "title": title,
        "caption": "a caption, simulation",
        "units": {"energy": "GeV", "length": "m"},
        "field": 3.8,
        "missing": [],
        "detector": detector,
        "radius": None,
        "met": None,
    }
    arrays.setdefault("particles", [[2.0, 0.1, 0.2, 1, 0, 0, 0, 0, NAN, -1]])
    return Scene(header, {name: np.array(rows, dtype=np.float32) for name, rows in arrays.items()})


def carried(page):
    (text,) = re.findall(r'id="workbench-scene">(.*?)</script>', page, re.DOTALL)
    return json.loads(text)


def test_a_new_scene_replaces_the_one_before_and_lets_the_pick_go():
    shown = Display3D()
    shown.show(scene())
    shown.picked = 0
    shown.show(scene("Event 1 of 1", detector="none"))
    assert shown.header["title"] == "Event 1 of 1"
    assert shown.picked == -1
    assert shown.shells == []
    assert shown.particles.dtype == np.float32


def test_the_detector_brings_its_layers():
    shown = Display3D(detector="ATLAS-like")
    assert shown.shells == list(DETECTORS["ATLAS-like"].layers)


def test_the_bundle_is_one_small_file_that_asks_nobody_and_keeps_the_licence_of_three_js():
    text = BUNDLE.read_text(encoding="utf-8")
    assert len(text) < 700_000
    assert "Three.js Authors" in text
    assert "SPDX-License-Identifier: MIT" in text
    hosts = set(re.findall(r"https?://[^\s\"'`]+", text))
    assert hosts <= {"http://www.w3.org/1999/xhtml", "http://www.w3.org/2000/svg"}  # names, not addresses
    assert not re.search(r"\beval\(|new Function\(", text)
    assert "</script" not in text


def test_a_standalone_page_carries_the_scene_and_how_it_is_shown():
    given = scene()
    found = carried(standalone(given, {"pt_min": 3.0, "background": "light"}))
    assert found["header"] == given.header
    assert found["options"]["pt_min"] == 3.0
    assert set(found["options"]) == set(VIEW)
    back = np.frombuffer(base64.b64decode(found["arrays"]["particles"]), dtype=np.float32)
    np.testing.assert_array_equal(back.reshape(-1, len(COLUMNS["particles"])), given.arrays["particles"])


def test_markup_in_a_title_stays_text_in_a_standalone_page():
    page = standalone(scene(EVIL))
    assert EVIL not in page
    assert page.count("<script") == 2
    assert "<img" not in page.split('<script type="module">')[0]
    assert carried(page)["header"]["title"] == EVIL


def test_a_standalone_page_refuses_an_option_that_does_not_exist():
    with pytest.raises(WorkbenchError, match="has no colour; it has pt_min"):
        standalone(scene(), {"colour": "red"})


def test_other_hosts_get_the_same_module_and_the_same_names(monkeypatch):
    class AnyWidget(traitlets.HasTraits):
        def hold_sync(self):
            return self.hold_trait_notifications()

    module = ModuleType("anywidget")
    module.AnyWidget = AnyWidget
    monkeypatch.setitem(sys.modules, "anywidget", module)
    given = scene()
    made = host(given, pt_min=2.0)
    assert made._esm == BUNDLE
    assert made.pt_min == 2.0
    assert set(made.traits(sync=True)) == set(ARRAYS) | set(VIEW) | {"header", "shells", "request"}
    assert made.particles == given.arrays["particles"].tobytes()
    made.picked = 0
    made.show(scene("Event 1 of 1", detector="none"))
    assert (made.header["title"], made.shells, made.picked) == ("Event 1 of 1", [], -1)


def test_the_permission_text_of_three_goes_with_the_bundle_that_has_it_inside():
    said = BUNDLE.with_name("LICENSE-three.txt").read_text()
    assert "three.js authors" in said
    assert "The above copyright notice and this permission notice shall be included" in said
