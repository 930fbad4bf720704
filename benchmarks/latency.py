"""How long from a key or click on a page until the picture has changed, beside a text of a page with nothing else.

    python -m benchmarks.latency [--jets 100000 1000000] [--times 20]

Median and p95 in ms over real keys and mouse buttons in headless chromium, from the event in the browser to the first frame
that differs, idle and while a ParticleNet-Lite fit runs on the same cores. The samples are the bundled jets, tiled, with their
observables as columns. "text" is a slider and a line of text served the same way in the same run: what any page of this kind
takes at least.
"""

import argparse
import re
import tempfile
from pathlib import Path

import awkward as ak
import numpy as np
from playwright.sync_api import Error

import workbench as wb
from tests.apps.browser import ROOT, chromium, click_until, idle, opened, serving
from workbench.data import parquet
from workbench.data.jets import Jets
from workbench.physics.observables import observables
from workbench.widgets.ways import RULE_WORDS

OBSERVABLES = ("mass", "sd_mass", "multiplicity", "tau21", "tau32")
TEXT = """
import panel as pn
import panel_material_ui as pmui
from workbench.widgets.latency import hasten
pn.extension()
hasten()
slider = pmui.IntSlider(label="number", start=0, end=1000)
text = pn.pane.HTML("is 0")
slider.param.watch(lambda event: setattr(text, "object", f"is {event.new}"), "value")
pn.Column(slider, text).servable()
"""
PROBE = """([event, value]) => {
  const seen = new Function("return " + value)()
  window.probe = new Promise((resolve) => {
    const before = seen()
    window.addEventListener(event, () => {
      const began = performance.now()
      const painted = () => requestAnimationFrame(() => resolve(performance.now() - began))
      const look = () => seen() === before ? requestAnimationFrame(look) : painted()
      requestAnimationFrame(look)
    }, {capture: true, once: true})
  })
}"""
"""Places are found before the event, so that looking at them takes nothing of the page's time; the frame that differs is painted
before the next one begins."""

DRAWN = """(() => {{
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? walk(e.shadowRoot) : [])])
  const pane = walk(document).find((e) => e.classList?.contains("wb-{name}"))
  const picture = walk(pane).concat(pane.shadowRoot ? walk(pane.shadowRoot) : []).find((e) => e.localName === "svg" && e.role === "img")
  return () => [...picture.querySelectorAll("path")].map((e) => e.getAttribute("d")).join()
}})()"""
MAP = """(() => {
  const figure = [...Bokeh.documents[0]._all_models.values()].find((m) => m.name === "particles" && m.renderers)
  const get = (s) => s.data instanceof Map ? s.data.get("relevance") : s.data.relevance
  const source = figure.renderers.map((r) => r.data_source).find(get)
  let last = 0
  return () => last = Array.from(get(source)).reduce((a, x) => a + Math.abs(x || 0), 0) || last
})()"""
"""The last map stays while the next is worked out."""

IMAGE = """(() => {
  const figure = [...Bokeh.documents[0]._all_models.values()].find((m) => m.name === "image" && m.renderers)
  const get = (s) => s.data instanceof Map ? s.data.get("image") : s.data.image
  const source = figure.renderers.map((r) => r.data_source).find((s) => s.data && get(s))
  return () => Array.from(get(source)[0]).flat().reduce((a, x, i) => a + (x || 0) * (i + 1), 0)
})()"""
"""Weighed by the place, as the sum of all pixels is the same for every jet."""

CUT = """(() => {
  const figure = [...Bokeh.documents[0]._all_models.values()].find((m) => m.name === "x-y" && m.renderers)
  const tracks = figure.renderers.find((x) => x.data_source?.data?.code && x.view?.filter)
  return () => tracks.view.indices.count
})()"""

TELLS = """(() => {{
  const walk = (root) => [...root.querySelectorAll("*")].flatMap((e) => [e, ...(e.shadowRoot ? walk(e.shadowRoot) : [])])
  const found = () => walk(document).filter((e) => !e.children.length && /{pattern}/.test(e.textContent))
  const place = (e) => e.getRootNode() === document ? e.parentElement : e.getRootNode()
  let places = []
  return () => (places.length ? places : places = [...new Set(found().map(place))]).map((x) => x.textContent).join()
}})()"""


def tiled(jets: Jets, n: int, particles: int) -> Jets:
    """Returns the jets again and again, `n` in all, with at most so many particles each and their observables as columns."""
    numbers = observables(jets, OBSERVABLES)
    small = jets.with_columns(**numbers)
    rows = np.arange(n) % len(jets)
    whole = small[rows]
    short = ak.to_packed(whole.constituents[:, :particles])
    return Jets(short, whole.p4, whole.label, whole.classes, whole.weight, whole.columns, whole.origin)


def measured(page, event, value, trigger, times):
    """Returns the times in ms from `event` to a changed `value`; a time-out counts as 10 s."""
    found = []
    for number in range(times):
        page.evaluate(PROBE, [event, value])
        trigger(number)
        try:
            found.append(
                page.evaluate("Promise.race([window.probe, new Promise((r) => setTimeout(r, 10000, 10000))])")
            )
        except Error:
            found.append(10_000.0)
        page.wait_for_timeout(250)
    return found


def told(what, when, found, baseline):
    """Prints one row."""
    median, high = np.median(found), np.percentile(found, 95)
    print(f"{what:34s}{when:22s}{median:7.0f} / {high:5.0f} ms   {median / baseline:5.1f} x text", flush=True)


def brush(page, number):
    """Moves the end of a brush that is held over the histogram of the mass."""
    box = page.locator(".wb-mass svg[role=img]").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * (0.6 + 0.1 * (number % 3)), box["y"] + box["height"] / 2)


def looked_at(page, when, baseline, times):
    """Measures what a user does while looking at jets."""
    jets = TELLS.format(pattern="^Jet [0-9]+: ")
    score = TELLS.format(pattern="^score [+-].* rest$")
    page.mouse.click(5, 990)
    found = measured(page, "keydown", jets, lambda _: page.keyboard.press("ArrowRight"), times)
    told("next jet, its particles", when, found, baseline)
    found = measured(page, "keydown", score, lambda _: page.keyboard.press("ArrowRight"), times)
    told("next jet, its relevance", when, found, baseline)
    found = measured(page, "keydown", score, lambda _: page.keyboard.press("ArrowLeft"), times)
    told("the jet before, its relevance", when, found, baseline)
    page.get_by_role("tab", name="Image", exact=True).click()
    page.wait_for_timeout(2000)
    page.mouse.click(5, 990)
    found = measured(page, "keydown", IMAGE, lambda _: page.keyboard.press("ArrowRight"), times)
    told("next jet, its image", when, found, baseline)
    page.get_by_role("tab", name="Features", exact=True).click()
    page.wait_for_timeout(1000)
    found = []
    for number in range(max(times // 2, 3) + 1):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(700)
        page.get_by_role("combobox", name=re.compile("^Rule of the relevance")).click()
        rule = ("gamma", "0")[number % 2] if number else "epsilon"
        entry = page.get_by_role("menuitem", name=RULE_WORDS[rule].label, exact=True)
        if number:
            found += measured(page, "click", MAP, lambda _, entry=entry: entry.click(), 1)
        else:
            entry.click()
            page.wait_for_timeout(700)
    told("rule, the changed map", when, found, baseline)
    other = DRAWN.format(name="multiplicity")
    page.locator(".wb-mass svg[role=img]").first.scroll_into_view_if_needed()
    box = page.locator(".wb-mass svg[role=img]").first.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.35, box["y"] + box["height"] / 2)
    page.mouse.down()
    brush(page, 1)
    page.wait_for_timeout(1000)
    found = measured(page, "pointermove", other, lambda n: brush(page, n), times)
    page.mouse.up()
    told("brush, the other histograms", when, found, baseline)
    page.get_by_role("button", name="Clear all brushes").click()
    page.wait_for_timeout(1500)
    field = page.get_by_label("Keep only")
    found = []
    for number in range(max(times // 2, 3)):
        field.fill(f"pt > {560 + number}")
        found += measured(page, "keydown", other, lambda _: field.press("Enter"), 1)
    told("selection expression", when, found, baseline)


def edited(page, when, baseline, times):
    """Measures what a user does who asks what if."""
    page.get_by_text(re.compile("^Score .* log-odds")).first.wait_for()
    idle(page)
    score = TELLS.format(pattern="^Score .* log-odds")
    for label, words in (("Rescale", "rescale"), ("Drop", "drop"), ("Delete the subjet", "delete a subjet")):
        edit, undo = (page.get_by_role("button", name=name, exact=True) for name in (label, "Undo"))
        found = []
        for _ in range(max(times // 2, 3)):
            found += measured(page, "click", score, lambda _, b=edit: b.click(), 1)
            found += measured(page, "click", score, lambda _, b=undo: b.click(), 1)
        told(f"what if: {words}, and undo", when, found, baseline)


def cut(page, baseline, times):
    """Measures a cut that the browser makes by itself."""
    page.get_by_role("button", name="Cuts, colours and camera").click()
    slider = page.get_by_role("slider", name=re.compile("Lowest pT of a particle"))
    slider.wait_for()
    idle(page)
    slider.focus()
    page.wait_for_timeout(1000)
    found = measured(page, "keydown", CUT, lambda n: slider.press("PageDown" if n % 2 else "PageUp"), times)
    told("event display, lowest pT", "idle", found, baseline)


def trained(page, baseline):
    """Starts a fit and measures its first sign of life; it goes on."""
    box = page.get_by_role("textbox", name=re.compile("^Epochs"))
    box.fill("500")
    box.press("Enter")
    value = TELLS.format(pattern="^particlenet-lite, seed [0-9]+: ")
    train = page.get_by_role("button", name="Train")
    told("job, first sign of life", "", measured(page, "click", value, lambda _: train.click(), 1), baseline)
    page.get_by_text(re.compile("epoch .* of 500")).first.wait_for()


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--jets", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--times", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, chromium() as browser:
        folder = Path(name)
        (folder / "text.py").write_text(TEXT)
        bundled = wb.load(wb.bundled("jets"))
        for n in asked.jets:
            parquet.write(tiled(bundled, n, 30 if n <= 100_000 else 5), folder / f"jets-{n}.parquet")
        env = {"WORKBENCH_DATA": name, "WORKBENCH_RUNS": f"{name}/runs"}
        apps = [ROOT / "apps" / f"{name}.py" for name in ("jets", "relevance", "display")]
        with serving(folder / "text.py", *apps, env=env, strict=False) as server:
            with opened(browser, server.address) as page:
                page.get_by_role("slider").focus()
                found = measured(
                    page, "keydown", TELLS.format(pattern="^is [0-9]"),
                    lambda _: page.keyboard.press("ArrowRight"), asked.times,
                )  # fmt: skip
            baseline = float(np.median(found))
            told("text", "idle", found, baseline)
            with opened(browser, f"{server.root}/display?view=x-y") as page:
                cut(page, baseline, asked.times)
            for n in asked.jets:
                sample = f"v=1&sample=file:{folder.name}/jets-{n}.parquet|stop={n}"
                with opened(browser, f"{server.root}/relevance?{sample}&jet=3&tab=what-if") as page:
                    edited(page, f"{n:,}, idle", baseline, asked.times)
                with opened(browser, f"{server.root}/jets?{sample}") as page:
                    page.get_by_text(re.compile(rf"^{n:,} of {n:,} jets selected")).first.wait_for()
                    page.get_by_text("Area under the ROC curve").wait_for()
                    first = page.get_by_role("button", name="Open the first jet")
                    click_until(page, first, page.get_by_text(re.compile("^score [+-].* rest$")))
                    idle(page)
                    looked_at(page, f"{n:,}, idle", baseline, asked.times)
                    page.get_by_label("Keep only").fill("")
                    page.get_by_label("Keep only").press("Enter")
                    trained(page, baseline)
                    looked_at(page, f"{n:,}, fit runs", baseline, asked.times)
                    page.wait_for_timeout(2000)
                    stop = page.get_by_role("button", name="Stop", exact=True).last
                    value = TELLS.format(pattern="Stopp")
                    told(
                        "job, stop acknowledged",
                        "",
                        measured(page, "click", value, lambda _, s=stop: s.click(), 1),
                        baseline,
                    )


if __name__ == "__main__":
    main()
