// Particles as lines: one object per kind, with the kind's width and dash pattern.

import * as THREE from "three";
import { LineMaterial } from "three/examples/jsm/lines/LineMaterial.js";
import { LineSegments2 } from "three/examples/jsm/lines/LineSegments2.js";
import { LineSegmentsGeometry } from "three/examples/jsm/lines/LineSegmentsGeometry.js";
import { KINDS, blend, kinds, many, rgb, signed, signs, strength, things } from "./colours.js";

const PLAIN_DASH = /if \( mod\( vLineDistance.*discard;.*/;
const DASH_DOT = `float along = mod( vLineDistance, DASH + DOT + 2.0 * GAP );
  if ( along > DASH && ( along < DASH + GAP || along > DASH + GAP + DOT ) ) discard;`;

/** A line of a kind; lengths of its dashes are pixels as soon as `dashScale` is pixels per metre. */
export function stroke({ width, dash }, options = {}) {
  const material = new LineMaterial({ linewidth: width, dashed: dash.length > 0, ...options });
  if (dash.length) [material.dashSize, material.gapSize] = dash;
  if (dash.length === 4) {
    const number = (x) => x.toFixed(1);
    const code = DASH_DOT.replaceAll("DASH", number(dash[0])).replaceAll("GAP", number(dash[1])).replaceAll("DOT", number(dash[2]));
    material.onBeforeCompile = (shader) => {
      shader.fragmentShader = shader.fragmentShader.replace(PLAIN_DASH, code);
    };
    material.customProgramCacheKey = () => `dash-dot ${dash.join(" ")}`;
  }
  return material;
}

/** Segments of polylines x, y, z, x, y, z, …; with one colour each. */
export function segments(polylines, colours, material) {
  const count = polylines.reduce((n, path) => n + path.length / 3 - 1, 0);
  const positions = new Float32Array(6 * count);
  const shades = new Float32Array(colours ? 6 * count : 0);
  let at = 0;
  polylines.forEach((path, j) => {
    for (let i = 0; i + 5 < path.length; i += 3, at += 6) {
      positions.set(path.subarray(i, i + 6), at);
      if (colours) shades.set([...colours[j], ...colours[j]], at);
    }
  });
  const geometry = new LineSegmentsGeometry();
  geometry.setPositions(positions);
  if (colours) {
    geometry.setColors(shades);
    material.vertexColors = true;
  }
  const lines = new LineSegments2(geometry, material);
  if (material.dashed) lines.computeLineDistances();
  lines.frustumCulled = false;
  return lines;
}

const linear = (c) => new THREE.Color().setRGB(...c, THREE.SRGBColorSpace).toArray();

/** How a scene's particles are coloured, and the legend that says so. */
export function colouring(particles, { colour_by, palette, background, relevance_limit }) {
  const by = { kind: byKind, pt: byPt, charge: byCharge, vertex: byVertex, relevance: byRelevance, one: byOne };
  return (by[colour_by] || byKind)(particles, { palette, background, relevance_limit });
}

function byKind(particles, { palette, background }) {
  const table = kinds(palette, background).map(rgb);
  return { colour: (p) => table[p.kind], scale: null };
}

function byOne(particles, { palette, background }) {
  const c = rgb(things(palette, background).one);
  return { colour: () => c, scale: null };
}

function byPt(particles, { background }) {
  const pts = particles.map((p) => p.pt).filter((x) => x > 0);
  const low = pts.length ? Math.min(...pts) : 0.1;
  const high = Math.max(pts.length ? Math.max(...pts) : 1, 1.01 * low);
  const stops = strength(background);
  const place = (pt) => Math.log(Math.max(pt, low) / low) / Math.log(high / low);
  return { colour: (p) => blend(stops, place(p.pt)), scale: { stops, low, high, title: "pT, GeV (log)" } };
}

function byCharge(particles, { background }) {
  const [plus, minus, none, unknown] = signs(background).map(rgb);
  const colour = (p) => (Number.isNaN(p.charge) ? unknown : p.charge > 0 ? plus : p.charge < 0 ? minus : none);
  const names = [["positive (+)", plus], ["negative (−)", minus], ["neutral (0)", none], ["charge not known", unknown]];
  return { colour, scale: null, names: names.filter(([, c]) => particles.some((p) => colour(p) === c)) };
}

function byVertex(particles, { background }) {
  const key = (p) => p.from.map((x) => x.toFixed(4)).join(" ");
  const sums = new Map();
  for (const p of particles) sums.set(key(p), (sums.get(key(p)) || 0) + p.pt ** 2);
  const table = many(background).map(rgb);
  const order = [...sums].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  const rank = new Map(order.map((name, i) => [name, Math.min(i, table.length - 1)]));
  const cm = (name) => name.split(" ").map((x) => (100 * x).toFixed(2)).join(", ");
  const names = order.slice(0, table.length - 1).map((name, i) => [`vertex ${i + 1} at (${cm(name)}) cm`, table[i]]);
  if (order.length >= table.length) names.push([`${order.length - table.length + 1} more vertices`, table.at(-1)]);
  return { colour: (p) => table[rank.get(key(p)) ?? table.length - 1], scale: null, names };
}

function byRelevance(particles, { background, relevance_limit }) {
  const known = particles.map((p) => Math.abs(p.relevance)).filter(Number.isFinite);
  const limit = relevance_limit > 0 ? relevance_limit : Math.max(0, ...known) || 1;
  const stops = signed(background);
  const none = rgb(signs(background)[2]);
  const colour = (p) => (Number.isFinite(p.relevance) ? blend(stops, 0.5 + p.relevance / (2 * limit)) : none);
  const weight = (p) => (Number.isFinite(p.relevance) ? 0.9 + 2.1 * Math.min(1, Math.abs(p.relevance) / limit) : 0.7);
  const scale = known.length ? { stops, low: -limit, high: limit, title: "relevance, units of the score" } : null;
  return { colour, scale, weight, names: known.length ? [] : [["no relevance in this scene", none]] };
}

/** The lines of the particles that are drawn, one object per kind and width. */
export function tracks(particles, paths, colours) {
  const group = new THREE.Group();
  const bundles = new Map();
  for (const p of particles) {
    const heavier = colours.weight ? Math.round(3 * colours.weight(p)) / 3 : 1;
    const key = `${p.kind} ${heavier}`;
    if (!bundles.has(key)) bundles.set(key, { kind: p.kind, heavier, paths: [], colours: [] });
    bundles.get(key).paths.push(paths[p.index]);
    bundles.get(key).colours.push(linear(colours.colour(p)));
  }
  for (const { kind, heavier, paths: lines, colours: shades } of bundles.values()) {
    const material = stroke({ ...KINDS[kind], width: KINDS[kind].width * heavier });
    const drawn = segments(lines, shades, material);
    drawn.renderOrder = 3;
    group.add(drawn);
  }
  return group;
}

/** A halo around one line, over everything. */
export function halo(path, kind, colour, background) {
  const group = new THREE.Group();
  const behind = stroke({ width: KINDS[kind].width + 6, dash: [] }, { color: background === "light" ? 0x14181d : 0xffffff });
  const front = stroke({ width: KINDS[kind].width + 2, dash: [] }, { color: new THREE.Color().setRGB(...colour, THREE.SRGBColorSpace) });
  [behind, front].forEach((material, i) => {
    material.depthTest = false;
    material.transparent = true;
    const line = segments([path], null, material);
    line.renderOrder = 8 + i;
    group.add(line);
  });
  return group;
}
