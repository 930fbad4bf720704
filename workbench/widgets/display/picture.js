// One picture: binds a model's scene and cuts to what is drawn, and the reader's mouse and keys to the model.

import * as THREE from "three";
import { KINDS, css, ground, kinds, side, things } from "./colours.js";
import { beam, detector } from "./detector.js";
import { bounds, direction, nearness, round } from "./helix.js";
import { cones, missing, tip } from "./jets.js";
import { STYLE, caption, element, inscribe, labels, legend, number, paint } from "./labels.js";
import { LAYERS, WIDTH, deposits, floats, particle, passes, paths, plain, rows } from "./scene.js";
import { Stage } from "./stage.js";
import { cells, deposit, towers } from "./towers.js";
import { colouring, halo, tracks } from "./tracks.js";

const DEFAULTS = {
  header: {}, shells: [], pt_min: 0, energy_min: 0, jet_pt_min: 0, eta_max: 10, charges: "all", kinds: null,
  colour_by: "kind", layers: null, opacity: 0.35, projection: "perspective", wedge: true, length_scale: "linear",
  palette: "colour-blind safe", background: "dark", picked: -1, preset_view: "home", relevance_limit: 0, request: "",
};
const LOOKS = ["palette", "background"];
const SCENE = ["header", "shells", ...Object.keys(WIDTH)];
const CONCERNS = {
  particles: [...SCENE, ...LOOKS, "pt_min", "eta_max", "charges", "kinds", "colour_by", "relevance_limit"],
  deposits: [...SCENE, ...LOOKS, "energy_min", "eta_max", "length_scale"],
  jets: [...SCENE, ...LOOKS, "jet_pt_min", "eta_max"],
  detector: ["header", "shells", ...LOOKS, "opacity", "wedge"],
};
const NO_WEBGL = "This browser cannot draw in three dimensions (it has no WebGL); the flat views show the same event.";
const LOST = "The graphics card gave the picture up; it comes back by itself, or when the page is reloaded. The flat views still work.";
const ASLEEP = 3000;

export class Picture {
  constructor(model, el) {
    [this.model, this.hovered, this.labelled] = [model, null, []];
    this.build(el);
    this.watch();
    this.look = new ResizeObserver(() => this.resize());
    this.look.observe(this.root);
    this.wake();
  }

  get(name) {
    return plain(this.model.get(name)) ?? DEFAULTS[name];
  }

  build(el) {
    this.root = element("div", "wbd");
    const style = element("style", "", STYLE);
    this.canvas = null;
    this.above = element("canvas", "wbd-labels");
    this.above.setAttribute("aria-hidden", "true");
    this.focus = element("div", "wbd-focus");
    this.legend = element("div", "wbd-panel wbd-legend");
    this.caption = element("div", "wbd-panel wbd-caption");
    this.hover = element("div", "wbd-panel wbd-hover wbd-hidden");
    this.sorry = element("div", "wbd-panel wbd-sorry wbd-hidden");
    this.sorry.setAttribute("role", "status");
    this.root.append(style, this.above, this.focus, this.legend, this.caption, this.hover, this.sorry);
    el.append(this.root);
  }

  /** Makes the stage: at the start, and again after the picture was away from the page or its context was lost. */
  wake() {
    if (this.stage || this.closed) return;
    // A canvas whose context was given back cannot get another one.
    this.canvas = element("canvas", "wbd-picture");
    this.canvas.tabIndex = 0;
    this.canvas.setAttribute("role", "img");
    this.root.insertBefore(this.canvas, this.above);
    try {
      this.stage = new Stage(this.canvas, () => this.onDraw());
    } catch {
      this.canvas.remove();
      this.say(NO_WEBGL);
      return;
    }
    this.stage.controls.enableZoom = false;
    this.stage.project(this.get("projection"));
    this.listen();
    this.say("");
    this.fresh = new Set([...Object.keys(CONCERNS), "data", "home"]);
    this.resize();
    this.update();
  }

  sleep() {
    this.stage?.close();
    this.canvas?.remove();
    this.stage = null;
  }

  say(text) {
    this.sorry.textContent = text;
    this.sorry.classList.toggle("wbd-hidden", !text);
    paint(this.sorry, this.get("background"));
  }

  watch() {
    this.fresh = new Set();
    this.handlers = [];
    const on = (name, handler) => {
      this.model.on(`change:${name}`, handler);
      this.handlers.push([`change:${name}`, handler]);
    };
    const names = new Set(Object.values(CONCERNS).flat());
    for (const name of names) {
      on(name, () => {
        for (const [group, list] of Object.entries(CONCERNS)) if (list.includes(name)) this.fresh.add(group);
        if (SCENE.includes(name)) this.fresh.add("data");
        if (name === "header") this.fresh.add("home");
        this.later();
      });
    }
    on("layers", () => this.later());
    on("picked", () => this.later());
    on("projection", () => this.stage?.project(this.get("projection")));
    on("preset_view", () => this.view());
    on("request", () => this.answer());
  }

  /** Several changes of one message become one update. */
  later() {
    if (this.pending) return;
    this.pending = true;
    queueMicrotask(() => {
      this.pending = false;
      this.update();
    });
  }

  update() {
    if (!this.stage || this.closed) return;
    const fresh = this.fresh;
    this.fresh = new Set();
    if (fresh.has("data")) this.read();
    this.stage.background = this.get("background");
    if (fresh.has("detector")) this.drawDetector();
    if (fresh.has("deposits")) this.drawDeposits();
    if (fresh.has("jets")) this.drawJets();
    if (fresh.has("particles")) this.drawParticles();
    this.drawPicked();
    this.show();
    this.write();
    if (fresh.has("home")) this.view(false);
    this.stage.ask();
  }

  read() {
    this.header = this.get("header");
    this.layers = this.get("shells");
    this.limit = bounds(this.layers);
    this.values = Object.fromEntries(Object.keys(WIDTH).map((name) => [name, floats(this.model.get(name))]));
    const { particles, points } = this.values;
    this.particles = Array.from({ length: rows(particles, WIDTH.particles) }, (_, i) => particle(particles, i));
    this.paths = paths(particles, points, this.header.field || 0, this.limit);
  }

  get cuts() {
    const names = ["pt_min", "energy_min", "jet_pt_min", "eta_max", "charges", "kinds"];
    return Object.fromEntries(names.map((name) => [name, this.get(name)]));
  }

  get looks() {
    const [palette, background] = [this.get("palette"), this.get("background")];
    return { palette, background, colours: things(palette, background), limit: this.limit };
  }

  drawDetector() {
    const { background } = this.looks;
    const group = detector(this.layers, { opacity: this.get("opacity"), wedge: this.get("wedge"), background });
    this.stage.put("detector", group);
    this.stage.put("beam", beam(1.15 * this.limit.hcal.z, ground(background).beam));
    for (const panel of [this.legend, this.caption, this.hover, this.sorry]) paint(panel, background);
  }

  drawDeposits() {
    const { towers: t, cells: c } = this.values;
    this.kept = { ...this.kept, towers: deposits(t, WIDTH.towers, this.cuts), cells: deposits(c, WIDTH.cells, this.cuts) };
    const of = (values, width, kept) => kept.reduce((most, i) => Math.max(most, values[width * i]), 0);
    this.largest = Math.max(of(t, WIDTH.towers, this.kept.towers), of(c, WIDTH.cells, this.kept.cells));
    const options = { ...this.looks, largest: this.largest, longest: 0.7 * this.limit.r, scale: this.get("length_scale") };
    this.stage.put("towers", towers(t, this.kept.towers, options));
    this.stage.put("cells", cells(c, this.kept.cells, options));
  }

  drawJets() {
    const { jets } = this.values;
    const cuts = this.cuts;
    const all = Array.from({ length: rows(jets, WIDTH.jets) }, (_, i) => i);
    const kept = all.filter((i) => jets[5 * i] >= cuts.jet_pt_min && Math.abs(jets[5 * i + 1]) <= cuts.eta_max);
    kept.sort((a, b) => jets[5 * b] - jets[5 * a]);
    this.kept = { ...this.kept, jets: kept };
    this.stage.put("jets", cones(jets, kept, this.looks));
    const hardest = Math.max(0, ...all.map((i) => jets[5 * i]));
    this.stage.put("met", this.header.met ? missing(this.header.met, { ...this.looks, hardest }) : new THREE.Group());
  }

  drawParticles() {
    const cuts = this.cuts;
    const kept = this.particles.filter((p) => passes(p, cuts));
    const options = { ...this.looks, colour_by: this.get("colour_by"), relevance_limit: this.get("relevance_limit") };
    this.kept = { ...this.kept, particles: kept };
    this.colours = colouring(this.particles, options);
    this.stage.put("particles", tracks(kept, this.paths, this.colours));
  }

  drawPicked() {
    const p = this.particles[this.get("picked")];
    const group = p ? halo(this.paths[p.index], p.kind, this.colours.colour(p), this.get("background")) : new THREE.Group();
    this.stage.put("picked", group);
  }

  shows(name) {
    return (this.get("layers") ?? LAYERS).includes(name);
  }

  show() {
    for (const name of LAYERS) {
      const group = this.stage.groups.get(name);
      if (group) group.visible = this.shows(name);
    }
    this.stage.ask();
  }

  // --- text ---------------------------------------------------------------------------------------------------------

  write() {
    const text = this.text();
    caption(this.caption, text);
    this.entries = this.legendEntries();
    const scale = this.shows("particles") ? this.colours.scale : null;
    legend(this.legend, this.entries, scale, this.note());
    const about = `Event display in three dimensions. ${text.title}. ${text.caption}. ${text.drawn} ${text.picked}`.trim();
    this.canvas.setAttribute("aria-label", about);
    this.canvas.setAttribute("aria-description", "Arrow keys turn the picture, Page Up and Page Down come nearer and go away, Home shows the first view, Escape lets the picked particle go.");
    const of = { particles: this.kept.particles, towers: this.kept.towers, cells: this.kept.cells, jets: this.kept.jets };
    for (const [name, list] of Object.entries(of)) this.root.dataset[name] = this.shows(name) ? list.length : 0;
    this.root.dataset.picked = this.get("picked");
    this.root.dataset.background = side(this.get("background"));
  }

  text() {
    const { title = "", caption: from = "", missing: unknown = [] } = this.header;
    const said = [...unknown];
    const shown = this.kept.particles.some((p) => p.kind === 4) && this.shows("particles");
    if (shown) said.push("muons beyond the coil: drawn straight");
    if (this.layers.length) said.push("detector: schematic");
    const p = this.particles[this.get("picked")];
    const picked = p ? `Picked: ${this.aboutParticle(p).replaceAll("\n", ", ")}.` : "";
    return { title, caption: from, drawn: this.drawn(), picked, missing: said };
  }

  drawn() {
    const { pt_min, energy_min, jet_pt_min } = this.cuts;
    const all = { particles: this.particles.length, towers: rows(this.values.towers, 6), cells: rows(this.values.cells, 26), jets: rows(this.values.jets, 5) };
    const cut = {
      particles: pt_min > 0 ? ` with pT ≥ ${number(pt_min)} GeV` : "", towers: energy_min > 0 ? ` with E ≥ ${number(energy_min)} GeV` : "",
      cells: energy_min > 0 ? ` with E ≥ ${number(energy_min)} GeV` : "", jets: jet_pt_min > 0 ? ` with pT ≥ ${number(jet_pt_min)} GeV` : "",
    };
    const parts = Object.keys(all).filter((name) => all[name]);
    const told = parts.map((name) => `${this.shows(name) ? this.kept[name].length : 0} of ${all[name]} ${all[name] === 1 ? name.slice(0, -1) : name}${cut[name]}`);
    return told.length ? `Drawn: ${told.join("; ")}.` : "Nothing to draw.";
  }

  legendEntries() {
    const { colours, palette, background } = this.looks;
    const entries = [];
    if (this.shows("particles")) entries.push(...this.particleEntries(palette, background));
    const layer = (name, at) => this.shows(name) && this.kept[name].some((i) => this.values[name][WIDTH[name] * i + at[0]] === at[1]);
    const has = (which) => layer("towers", [5, which]) || layer("cells", [1, which]);
    if (has(0)) entries.push({ name: "ECAL", colour: colours.ecal, shape: "box" });
    if (has(1)) entries.push({ name: "HCAL (outlined)", colour: colours.hcal, shape: "outlined" });
    if (has(2)) entries.push({ name: "calorimeter", colour: colours.cells, shape: "box" });
    if (this.shows("jets") && this.kept.jets.length) entries.push({ name: "jet (circle in η and φ)", colour: colours.jet, shape: "cone" });
    if (this.shows("met") && this.header.met) entries.push({ name: "missing pT", colour: colours.met, width: 3, dash: [8, 5] });
    return entries;
  }

  particleEntries(palette, background) {
    const counts = new Map();
    for (const p of this.kept.particles) counts.set(p.kind, (counts.get(p.kind) || 0) + 1);
    const by = this.get("colour_by");
    const table = kinds(palette, background);
    const quiet = ground(background).text;
    const lines = [...counts].sort((a, b) => a[0] - b[0]).map(([kind, n]) => ({
      ...KINDS[kind], name: `${KINDS[kind].name} (${n})`, colour: by === "kind" ? table[kind] : quiet,
    }));
    const names = (this.colours.names || []).map(([name, c]) => ({ name, colour: css(c), shape: "box" }));
    return [...lines, ...names];
  }

  note() {
    const deposits = this.kept.towers.length * this.shows("towers") + this.kept.cells.length * this.shows("cells");
    return deposits ? `longest: ${number(this.largest)} GeV, ${this.get("length_scale")} in E` : "";
  }

  onDraw() {
    const stage = this.stage;
    if (!stage) return;
    const ratio = this.ratio;
    const context = this.above.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, stage.width, stage.height);
    labels(context, this.overlay());
  }

  overlay() {
    const stage = this.stage;
    const { colours, background } = this.looks;
    const items = [];
    const label = (point, text, colour) => {
      const at = stage.pixel(...point);
      if (at) items.push({ x: at[0], y: at[1], text, colour });
    };
    for (const p of this.loudest()) {
      const path = this.paths[p.index];
      const sign = p.relevance > 0 ? "+" : "";
      label(path.subarray(path.length - 3), `${sign}${number(p.relevance)}`, ground(background).text);
    }
    const arrow = stage.groups.get("met");
    if (arrow?.userData.end && arrow.visible) label(arrow.userData.end, `missing pT ${number(this.header.met[0])} GeV`, colours.met);
    if (this.shows("jets")) {
      const { jets } = this.values;
      for (const i of this.kept.jets.slice(0, 8)) label(tip(jets, i, this.limit), `jet ${number(jets[5 * i])} GeV`, colours.jet);
    }
    const long = round(100 * stage.grain);
    const text = long >= 1 ? `${long} m` : long >= 0.01 ? `${Number((100 * long).toPrecision(3))} cm` : `${Number((1000 * long).toPrecision(3))} mm`;
    return { width: stage.width, height: stage.height, items, axes: stage.axes(), bar: { pixels: long / stage.grain, text }, background };
  }

  /** The particles whose relevance is written beside them, so that its sign is not told by colour alone. */
  loudest() {
    if (this.get("colour_by") !== "relevance" || !this.shows("particles")) return [];
    const known = this.kept.particles.filter((p) => Number.isFinite(p.relevance) && p.relevance !== 0);
    return known.sort((a, b) => Math.abs(b.relevance) - Math.abs(a.relevance)).slice(0, 5);
  }

  // --- camera -------------------------------------------------------------------------------------------------------

  view(gently = !matchMedia("(prefers-reduced-motion: reduce)").matches) {
    if (!this.stage || !this.limit) return;
    const [from, to, near] = this.place(this.get("preset_view"));
    this.stage.look(from, to, gently, near);
  }

  place(name) {
    const stage = this.stage;
    const { r, z } = this.limit.hcal;
    const deposits = this.kept.towers.length + this.kept.cells.length > 0;
    const reach = deposits ? r + 0.6 * this.limit.r : this.limit.r * 1.15;
    const aspect = (stage.width || 16) / (stage.height || 9);
    const fit = (x, y) => Math.max(y, x / aspect) / stage.half;
    if (name === "x-y") return [[0, 0, fit(reach, reach) * 1.1], [0, 0, 0]];
    const long = deposits || this.layers.length ? z : this.limit.z;
    if (name === "r-z") return [[-fit(long * 1.05, reach) * 1.1, 0, 0], [0, 0, 0]];
    const jet = this.jetAxis();
    if (name === "jet axis" && jet) {
      // So far behind the vertex that the circle of the jet is seen whole, and what lies behind the vertex is cut away.
      const wide = 1.2 * (this.header.radius || 0.5);
      const back = Math.max(0.3, fit(wide, wide) - 1);
      return [jet.map((x) => -back * x), jet, 0.96 * back * Math.hypot(...jet)];
    }
    if (jet && this.isOneJet()) {
      const aside = new THREE.Vector3(...jet).cross(new THREE.Vector3(0, 1, 0)).setLength(1);
      const up = new THREE.Vector3(0, 0.28, 0);
      const back = fit(0.85 * Math.hypot(...jet), 0.85 * Math.hypot(...jet));
      const middle = jet.map((x) => 0.52 * x);
      const from = aside.add(up).setLength(back).toArray();
      return [from.map((x, i) => x + middle[i]), middle];
    }
    const back = fit(0.72 * long + 0.45 * reach, 0.3 * long + 0.95 * reach) * 1.12;
    return [[0.6, 0.4, 0.69].map((x) => back * x), [0, 0, 0]];
  }

  isOneJet() {
    return rows(this.values.jets, WIDTH.jets) === 1 && !this.kept.towers.length && !this.kept.cells.length && this.particles.every((p) => p.jet === 0);
  }

  /** The axis of the picked particle's jet or of the hardest, as a point on the calorimeter. */
  jetAxis() {
    const { jets } = this.values;
    const own = this.particles[this.get("picked")]?.jet;
    const [hardest] = this.kept.jets;
    const i = own >= 0 ? own : hardest;
    return i === undefined ? null : direction(jets[5 * i + 1], jets[5 * i + 2]).map((x) => x * this.limit.r);
  }

  resize() {
    const { clientWidth: width, clientHeight: height } = this.root;
    if (!this.root.isConnected) {
      // The page may only be moving it; what stays away gives the graphics card's memory back.
      clearTimeout(this.bedtime);
      this.bedtime = setTimeout(() => !this.root.isConnected && this.sleep(), ASLEEP);
      return;
    }
    if (!width || !height) return;
    if (!this.stage) return this.wake();
    this.ratio = Math.min(window.devicePixelRatio || 1, 3);
    this.above.width = Math.round(width * this.ratio);
    this.above.height = Math.round(height * this.ratio);
    Object.assign(this.above.style, { width: `${width}px`, height: `${height}px` });
    Object.assign(this.canvas.style, { width: `${width}px`, height: `${height}px` });
    const first = !this.stage.width;
    this.stage.size(width, height, this.ratio);
    this.narrow(width);
    if (first && this.kept) this.view(false);
  }

  /** In a narrow place the legend and the caption keep to the corners. */
  narrow(width) {
    const small = width < 560;
    this.legend.style.top = small ? "auto" : "10px";
    this.legend.style.bottom = small ? "10px" : "auto";
    this.caption.style.maxWidth = small ? "80%" : "min(46%, 420px)";
  }

  // --- mouse and keys -----------------------------------------------------------------------------------------------

  listen() {
    const canvas = this.canvas;
    let pressed = null;
    canvas.addEventListener("pointerdown", (event) => (pressed = [event.offsetX, event.offsetY]));
    canvas.addEventListener("pointermove", (event) => this.point(event));
    canvas.addEventListener("pointerleave", () => this.hover.classList.add("wbd-hidden"));
    canvas.addEventListener("pointerup", (event) => {
      const still = pressed && Math.hypot(event.offsetX - pressed[0], event.offsetY - pressed[1]) < 4;
      if (still) this.pick(event.offsetX, event.offsetY);
    });
    // The wheel scrolls the page until the picture was clicked.
    canvas.addEventListener("wheel", (event) => this.hint(event), { passive: true });
    canvas.addEventListener("focus", () => this.stage && (this.stage.controls.enableZoom = true));
    canvas.addEventListener("blur", () => this.stage && (this.stage.controls.enableZoom = false));
    canvas.addEventListener("keydown", (event) => this.key(event));
    canvas.addEventListener("webglcontextlost", (event) => {
      event.preventDefault();
      if (this.stage && !this.stage.gone) this.say(LOST);
    });
    canvas.addEventListener("webglcontextrestored", () => {
      this.say("");
      this.fresh = new Set(Object.keys(CONCERNS));
      this.update();
    });
  }

  hint(event) {
    if (this.stage?.controls.enableZoom) return;
    this.tip("Click the picture, then the wheel zooms.", event.offsetX, event.offsetY);
  }

  key(event) {
    const moves = {
      ArrowLeft: [-0.12, 0], ArrowRight: [0.12, 0], ArrowUp: [0, -0.12], ArrowDown: [0, 0.12], PageUp: [0, 0, 1.15], PageDown: [0, 0, 1 / 1.15],
    };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (moves[event.key]) this.stage.turn(...moves[event.key]);
    else if (event.key === "Home") this.view();
    else if (event.key === "Escape" && this.get("picked") >= 0) this.choose(-1);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  /** The particle whose line passes nearest to a point of the picture, -1 if none within a few pixels. */
  nearest(px, py) {
    if (!this.shows("particles")) return -1;
    let [best, found] = [7, -1];
    const into = new THREE.Vector3();
    for (const p of this.kept.particles) {
      const path = this.paths[p.index];
      let before = null;
      for (let i = 0; i < path.length; i += 3) {
        const at = this.stage.pixel(path[i], path[i + 1], path[i + 2], into);
        if (at && before) {
          const far = nearness(px, py, before[0], before[1], at[0], at[1]);
          if (far < best) [best, found] = [far, p.index];
        }
        before = at;
      }
    }
    return found;
  }

  point(event) {
    if (event.buttons) return this.hover.classList.add("wbd-hidden");
    this.at = [event.offsetX, event.offsetY];
    if (this.pointing) return;
    this.pointing = true;
    requestAnimationFrame(() => {
      this.pointing = false;
      if (this.stage && this.kept) this.tell(...this.at);
    });
  }

  tell(px, py) {
    const text = this.about(px, py);
    this.canvas.style.cursor = text ? "pointer" : "grab";
    this.tip(text, px, py);
  }

  tip(text, px, py) {
    this.hover.classList.toggle("wbd-hidden", !text);
    if (!text) return;
    this.hover.textContent = text;
    const { width, height } = this.stage;
    const [w, h] = [this.hover.offsetWidth, this.hover.offsetHeight];
    this.hover.style.left = `${Math.max(4, Math.min(px + 14, width - w - 6))}px`;
    this.hover.style.top = `${py + 14 + h > height ? Math.max(4, py - h - 10) : py + 14}px`;
  }

  about(px, py) {
    const track = this.nearest(px, py);
    if (track >= 0) return this.aboutParticle(this.particles[track]);
    const [hit] = this.stage.under(px, py, ["towers", "cells"]);
    if (hit) {
      const { table, rows: list } = hit.object.userData;
      const i = list[hit.instanceId ?? Math.floor(hit.faceIndex / 12)];
      const d = deposit(table, this.values[table], i);
      return `${d.name}\nE = ${number(d.energy)} GeV\nη = ${number(d.eta)}, φ = ${number(d.phi)} rad`;
    }
    const [cone] = this.stage.under(px, py, ["jets"]);
    if (!cone) return "";
    const [pt, eta, phi, mass, r] = this.values.jets.subarray(5 * cone.object.userData.row, 5 * cone.object.userData.row + 5);
    return `jet ${cone.object.userData.row}\npT = ${number(pt)} GeV, m = ${number(mass)} GeV\nη = ${number(eta)}, φ = ${number(phi)} rad, R = ${number(r)}`;
  }

  aboutParticle(p) {
    const charge = Number.isNaN(p.charge) ? "not known" : `${p.charge > 0 ? "+" : ""}${number(p.charge)}`;
    const lines = [`${KINDS[p.kind].name} ${p.index}`, `pT = ${number(p.pt)} GeV`, `η = ${number(p.eta)}, φ = ${number(p.phi)} rad`, `charge ${charge}`];
    if (Number.isFinite(p.relevance)) lines.push(`relevance ${p.relevance > 0 ? "+" : ""}${number(p.relevance)} of the score`);
    return lines.join("\n");
  }

  pick(px, py) {
    if (this.kept) this.choose(this.nearest(px, py));
  }

  choose(index) {
    if (index === this.get("picked")) return;
    this.model.set("picked", index);
    this.model.save_changes();
    this.later();
  }

  // --- export -------------------------------------------------------------------------------------------------------

  answer() {
    const [, times] = /^png@([124])$/.exec(this.get("request")) || [];
    if (!times) return;
    if (this.stage?.width) this.download(Number(times));
    this.model.set("request", "");
    this.model.save_changes();
  }

  download(times) {
    const { canvas, ratio } = this.stage.picture(times);
    const context = canvas.getContext("2d");
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    labels(context, this.overlay());
    const { title, caption: from, drawn, picked } = this.text();
    const scale = this.shows("particles") ? this.colours.scale : null;
    inscribe(context, {
      width: this.stage.width, entries: this.entries, scale, note: this.note(), lines: [title, from, drawn, picked].filter(Boolean), background: this.get("background"),
    });
    const name = `${title || "event"} 3D`.toLowerCase().replace(/[^a-z0-9]+/g, "-").slice(0, 60);
    canvas.toBlob((blob) => {
      const link = element("a");
      link.href = URL.createObjectURL(blob);
      link.download = `${name}@${times}x.png`;
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    }, "image/png");
  }

  close() {
    this.closed = true;
    clearTimeout(this.bedtime);
    this.look.disconnect();
    for (const [event, handler] of this.handlers) this.model.off?.(event, handler);
    this.sleep();
    this.root.remove();
  }
}
