"""The 3D display in a browser: its geometry, its cuts, what is picked, what is saved, and what it does without a graphics card."""

import struct

import numpy as np
import pytest

from tests.apps.browser import assert_quiet, needs_browser, opened_at, served, watched
from tests.widgets.test_display3d import EVIL, scene
from workbench.views import helix
from workbench.views.detectors import detector
from workbench.widgets.display3d import ARRAYS, BUNDLE
from workbench.widgets.standalone import standalone

pytestmark = [pytest.mark.browser, needs_browser]
address = served("tests/apps/display3d_page.py")
page = opened_at()
NAN = float("nan")

LOAD = """async (text) => {
  const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
  window.display = await import(url);
}"""

START = """({ scene, how }) => {
  const place = document.createElement("div");
  place.style.cssText = "width: 800px; height: 500px";
  document.body.append(place);
  const forms = {
    view: (x) => new DataView(Float32Array.from(x).buffer),
    buffer: (x) => Float32Array.from(x).buffer,
    bytes: (x) => { const b = new Uint8Array(4 * x.length + 1); b.set(new Uint8Array(Float32Array.from(x).buffer), 1); return b.subarray(1); },
    subclass: (x) => { class Odd extends Float32Array { subarray() { throw new Error("not for you"); } } return new Odd(Float32Array.from(x)); },
  };
  const values = { ...scene.values };
  for (const [name, x] of Object.entries(scene.arrays)) values[name] = forms[how](x.map((v) => (v === null ? NaN : v)));
  const watching = {};
  window.model = {
    values, get: (name) => values[name], save_changes: () => {},
    set: (name, value) => { values[name] = value; (watching["change:" + name] || []).forEach((f) => f()); },
    on: (event, f) => (watching[event] ||= []).push(f),
    off: (event, f) => (watching[event] = watching[event].filter((g) => g !== f)),
    count: () => Object.values(watching).flat().length,
  };
  window.away = window.display.default.render({ model: window.model, el: place });
}"""


@pytest.fixture
def blank(browser):
    """An empty page with the bundle loaded; other hosts are refused."""
    context = browser.new_context(viewport={"width": 900, "height": 700})
    opened = watched(context)
    opened.goto("about:blank")
    opened.evaluate(LOAD, BUNDLE.read_text(encoding="utf-8"))
    yield opened
    assert_quiet(opened)
    context.close()


def start(page, given, how="view", **values):
    arrays = {
        name: [None if np.isnan(x) else float(x) for x in given.arrays[name].ravel()] for name in ARRAYS
    }
    shells = list(detector(given.header["detector"]).layers)
    page.evaluate(START, {"scene": {"values": {"header": given.header, "shells": shells, **values}, "arrays": arrays}, "how": how})  # fmt: skip
    page.wait_for_timeout(300)


def drawn(page):
    return page.locator(".wbd").evaluate("x => ({ ...x.dataset })")


def put(page, **values):
    page.evaluate(
        "values => Object.entries(values).forEach(([k, v]) => window.model.set(k, v))",
        values,
    )
    page.wait_for_timeout(100)


def geometry(page, call):
    return page.evaluate(f"() => {{ const g = window.display.geometry; return {call}; }}")


def planted(**more):
    return scene(
        particles=[
            [1.0, 0.0, 0.0, 1, 0, 0, 0, 0, 0.5, 0],
            [2.0, 0.5, 1.0, -1, 4, 0, 0, 0, -0.2, 0],
            [4.0, -0.5, 2.0, 0, 2, 0, 0, 0, NAN, 0],
            [8.0, 2.0, 3.0, NAN, 5, 0, 0, 0, NAN, -1],
        ],
        towers=[[10.0, 0.0, 1.0, 0.1, 0.1, 0], [2.0, 2.0, 1.0, 0.1, 0.1, 1]],
        jets=[[50.0, 0.2, 0.5, 5.0, 0.4], [9.0, 0.2, 2.5, 5.0, 0.4]],
        **more,
    )


def test_a_track_leaves_the_calorimeter_where_the_closed_form_says(blank):
    r, field = 1.29, 3.8
    for pt, phi, charge in ((1.0, 0.4, 1), (1.0, 0.4, -1), (5.0, -2.0, 1)):
        bend = pt / (0.299792458 * field)
        assert geometry(blank, f"g.radius({pt}, {charge}, {field})") == pytest.approx(bend)
        track = f"{{ pt: {pt}, eta: 0.1, phi: {phi}, charge: {charge}, from: [0, 0, 0] }}"
        path = geometry(blank, f"Array.from(g.helix({track}, {field}, {{ r: {r}, z: 3 }}))")
        x, y, z = path[-3:]
        turned = np.arcsin(r / (2 * bend))
        assert np.hypot(x, y) == pytest.approx(r, abs=1e-5)
        assert np.angle(np.exp(1j * (np.arctan2(y, x) - phi + charge * turned))) == pytest.approx(0, abs=1e-5)
        assert z == pytest.approx(2 * bend * turned * np.sinh(0.1), abs=1e-5)


def test_unknown_and_no_charge_are_straight_and_end_at_the_endcap(blank):
    for charge in ("NaN", "0"):
        track = f"{{ pt: 0.5, eta: 2.5, phi: 1, charge: {charge}, from: [0, 0, 0.1] }}"
        path = geometry(blank, f"Array.from(g.helix({track}, 3.8, {{ r: 1.29, z: 3 }}))")
        assert len(path) == 6
        s = 2.9 / np.sinh(2.5)
        assert path[3:] == pytest.approx([s * np.cos(1), s * np.sin(1), 3.0], abs=1e-5)


def test_the_paths_are_those_of_the_flat_views(blank):
    rng = np.random.default_rng(3)
    rows = np.zeros((20, 10))
    rows[:, 0], rows[:, 1] = rng.uniform(0.3, 20, 20), rng.normal(0, 1.2, 20)
    rows[:, 2], rows[:, 3] = rng.uniform(-3, 3, 20), rng.choice([-1, 1], 20)
    rows[:, 5:8] = rng.normal(0, 0.01, (20, 3))
    for row, line in zip(rows, helix.paths(rows, 3.8, (1.29, 3.0)), strict=True):
        pt, eta, phi, charge = row[:4]
        track = f"{{ pt: {pt}, eta: {eta}, phi: {phi}, charge: {charge}, from: {row[5:8].tolist()} }}"
        end = geometry(blank, f"Array.from(g.helix({track}, 3.8, {{ r: 1.29, z: 3 }}).slice(-3))")
        np.testing.assert_allclose(end, line[-1], atol=1e-4)


def test_a_muon_goes_on_straight_beyond_the_coil(blank):
    track = "{ pt: 10, eta: 0, phi: 0, charge: 1, from: [0, 0, 0] }"
    limits = "{ r: 1.29, z: 3, solenoid: 3, hcal: { r: 1.8, z: 4 }, muon: { r: 7, z: 10 } }"
    path = np.array(geometry(blank, f"Array.from(g.muon({track}, 3.8, {limits}))")).reshape(-1, 3)
    r = np.hypot(path[:, 0], path[:, 1])
    assert r[-1] == pytest.approx(7, abs=1e-4)
    assert r[-2] == pytest.approx(3, abs=1e-4)


def test_towers_are_as_long_as_the_scale_says(blank):
    assert geometry(blank, "g.fraction(25, 100, 'linear')") == pytest.approx(0.25)
    assert geometry(blank, "g.fraction(25, 100, 'sqrt')") == pytest.approx(0.5)
    assert geometry(blank, "g.fraction(100, 100, 'log')") == pytest.approx(1)
    assert geometry(blank, "g.fraction(-1, 100, 'log')") == 0


@pytest.mark.parametrize("how", ["view", "buffer", "bytes", "subclass"])
def test_arrays_are_read_in_whatever_form_a_host_sends_them(blank, how):
    start(blank, planted(), how)
    found = drawn(blank)
    assert (found["particles"], found["towers"], found["jets"]) == ("4", "2", "2")


def test_cuts_act_in_the_browser_and_are_said(blank):
    start(blank, planted())
    cuts = {
        "pt_min": (2.0, "3"),
        "eta_max": (1.0, "3"),
        "charges": ("charged", "2"),
        "kinds": (["photon", "muon"], "2"),
    }
    for name, (value, left) in cuts.items():
        put(blank, **{name: value})
        assert drawn(blank)["particles"] == left, name
        put(blank, **{name: {"pt_min": 0, "eta_max": 5, "charges": "all", "kinds": None}[name]})
    for sign, left in (("+", "1"), ("-", "1"), ("neutral", "1"), ("all", "4")):
        put(blank, charges=sign)
        assert drawn(blank)["particles"] == left
    put(blank, energy_min=5, jet_pt_min=20, pt_min=3)
    assert (drawn(blank)["towers"], drawn(blank)["jets"]) == ("1", "1")
    said = blank.locator(".wbd-caption").inner_text()
    assert "2 of 4 particles with pT ≥ 3 GeV" in said
    assert "1 of 2 towers with E ≥ 5 GeV" in said
    put(blank, layers=["towers"])
    assert drawn(blank)["particles"] == "0"


def test_the_legend_names_what_is_drawn_and_the_scale_its_unit(blank):
    start(blank, planted())
    legend = blank.locator(".wbd-legend")
    for text in ("charged hadron (1)", "muon (1)", "photon (1)", "ECAL", "HCAL (outlined)", "jet"):
        assert text in legend.inner_text()
    put(blank, colour_by="relevance")
    assert "relevance, units of the score" in legend.inner_text()
    assert "−0.5" in legend.inner_text()
    put(blank, colour_by="pt")
    assert "pT, GeV" in legend.inner_text()
    name = blank.locator("canvas.wbd-picture").get_attribute("aria-label")
    assert "Event 0 of 1" in name
    assert "4 of 4 particles" in name


def test_every_colour_view_and_scale_is_drawn_without_an_error(blank):
    start(blank, planted())
    for name, values in {
        "colour_by": ["kind", "pt", "charge", "vertex", "relevance", "one"],
        "palette": ["experiment", "colour-blind safe"],
        "background": ["light", "dark"],
        "length_scale": ["linear", "log", "sqrt"],
        "projection": ["orthographic", "perspective"],
        "preset_view": ["x-y", "r-z", "jet axis", "home"],
        "wedge": [False, True],
        "opacity": [0, 1],
    }.items():
        for value in values:
            put(blank, **{name: value})


def test_keys_turn_the_picture_and_escape_lets_go(blank):
    start(blank, planted(), picked=1)
    canvas = blank.locator("canvas.wbd-picture")
    assert "Picked: muon 1, pT = 2 GeV" in blank.locator(".wbd-caption").inner_text()
    canvas.focus()
    before = canvas.evaluate("x => x.toDataURL()")
    canvas.press("ArrowRight")
    blank.wait_for_timeout(200)
    assert canvas.evaluate("x => x.toDataURL()") != before
    canvas.press("Escape")
    assert blank.evaluate("window.model.values.picked") == -1


def test_markup_in_a_title_stays_text(blank):
    start(blank, scene(EVIL))
    assert EVIL in blank.locator(".wbd-caption").inner_text()
    assert blank.evaluate("window.owned") is None


def test_taking_it_away_leaves_nothing(blank):
    start(blank, planted())
    blank.evaluate("window.gl = document.querySelector('canvas.wbd-picture').getContext('webgl2')")
    blank.evaluate("window.away()")
    blank.wait_for_timeout(200)
    assert blank.evaluate("window.gl.isContextLost()")
    assert blank.evaluate("window.model.count()") == 0
    assert blank.locator(".wbd").count() == 0


def test_it_survives_being_hidden_and_taken_out_for_a_while(blank):
    start(blank, planted())
    blank.evaluate("document.querySelector('.wbd').parentElement.style.display = 'none'")
    blank.wait_for_timeout(200)
    blank.evaluate("document.querySelector('.wbd').parentElement.style.display = ''")
    blank.wait_for_timeout(200)
    assert drawn(blank)["particles"] == "4"
    blank.evaluate("(window.held = document.querySelector('.wbd').parentElement).remove()")
    blank.wait_for_timeout(3500)
    assert blank.evaluate("window.held.querySelectorAll('canvas.wbd-picture').length") == 0
    blank.evaluate("document.body.append(window.held)")
    blank.locator("canvas.wbd-picture").wait_for()
    blank.wait_for_timeout(300)
    assert blank.locator("canvas.wbd-picture").evaluate("x => x.width") > 0


def test_a_lost_graphics_card_is_said_in_one_sentence_and_forgotten_when_it_is_back(blank):
    start(blank, planted())
    blank.evaluate(
        "window.card = document.querySelector('canvas.wbd-picture').getContext('webgl2').getExtension('WEBGL_lose_context')"
    )
    blank.evaluate("window.card.loseContext()")
    blank.get_by_text("The graphics card gave the picture up").wait_for()
    blank.evaluate("window.card.restoreContext()")
    blank.get_by_text("The graphics card gave the picture up").wait_for(state="hidden")


def test_a_browser_without_webgl_says_so(blank):
    blank.evaluate("HTMLCanvasElement.prototype.getContext = () => null")
    start(blank, planted())
    blank.get_by_text("This browser cannot draw in three dimensions").wait_for()


def test_a_click_reaches_python_and_python_s_choice_reaches_the_picture(page):
    canvas = page.locator("canvas.wbd-picture")
    canvas.wait_for()
    page.get_by_text("8 of 8 particles").wait_for()
    page.get_by_role("button", name="Pick the third").click()
    page.get_by_text("Picked: charged hadron 2").wait_for()
    page.get_by_text("Python knows of 2").wait_for()
    box = canvas.bounding_box()
    # The hardest track flies to phi = 7/8 of a turn, down to the right; half of its way is on this line.
    for far in range(60, 200, 4):
        page.mouse.click(box["x"] + box["width"] / 2 + far, box["y"] + box["height"] / 2 + 0.98 * far)
        page.wait_for_timeout(60)
        if "hadron 7" in page.locator(".wbd-caption").inner_text():
            break
    page.get_by_text("Python knows of 7").wait_for()
    page.get_by_role("button", name="Another").click()
    page.get_by_text("5 of 5 particles").wait_for()
    page.get_by_text("Python knows of -1").wait_for()
    assert_quiet(page)


def test_the_picture_is_saved_at_twice_its_size(page):
    canvas = page.locator("canvas.wbd-picture")
    canvas.wait_for()
    page.wait_for_timeout(500)
    with page.expect_download() as coming:
        page.get_by_role("button", name="Save").click()
    content = coming.value.path().read_bytes()
    assert coming.value.suggested_filename == "event-0-of-1-3d@2x.png"
    box = canvas.bounding_box()
    assert struct.unpack(">II", content[16:24]) == (round(2 * box["width"]), round(2 * box["height"]))
    assert_quiet(page)


def test_a_standalone_page_opens_offline_asks_nobody_and_runs_no_text(browser, tmp_path):
    file = tmp_path / "event.html"
    file.write_text(standalone(planted(title=EVIL), {"pt_min": 3.0}), encoding="utf-8")
    context = browser.new_context(offline=True)
    opened = context.new_page()
    asked, failures = [], []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: failures.append(str(error)))
    opened.on("console", lambda said: failures.append(said.text) if said.type == "error" else None)
    opened.goto(file.as_uri())
    opened.get_by_text("2 of 4 particles").wait_for()
    opened.get_by_label("Particles from pT, GeV").fill("0")
    opened.get_by_text("4 of 4 particles").wait_for()
    opened.get_by_label("Background").select_option("light")
    with opened.expect_download():
        opened.get_by_role("button", name="Save as PNG").click()
    assert [url for url in asked if not url.startswith(("file:", "blob:"))] == []
    assert opened.evaluate("window.owned") is None
    assert EVIL in opened.locator(".wbd-caption").inner_text()
    assert failures == []
    context.close()
