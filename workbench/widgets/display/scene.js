// The scene as it comes from a model, whatever host sends it, and what of it the cuts leave.

import { helix, muon } from "./helix.js";
import { KINDS } from "./colours.js";

export const WIDTH = { particles: 10, towers: 6, cells: 26, jets: 5, points: 4 };
export const LAYERS = ["particles", "towers", "cells", "jets", "met", "detector"];
const NOTHING = new Float32Array(0);

/** Numbers of an array that a host sends as a view of a buffer, as a buffer or as a list. */
export function floats(value) {
  if (value == null) return NOTHING;
  const bytes = value instanceof ArrayBuffer ? new Uint8Array(value) : value;
  const isRaw = bytes instanceof DataView || bytes instanceof Uint8Array;
  // Bokeh's arrays are subclasses of the browser's whose subarray() does something else: a plain one is made of them.
  if (!isRaw && !(bytes instanceof Float32Array)) return Float32Array.from(bytes);
  const { buffer, byteOffset, byteLength } = bytes;
  if (byteOffset % 4 === 0) return new Float32Array(buffer, byteOffset, byteLength / 4);
  return new Float32Array(buffer.slice(byteOffset, byteOffset + byteLength));
}

/** Plain objects of what a host may send as Maps. */
export function plain(value) {
  if (value instanceof Map) return Object.fromEntries([...value].map(([k, v]) => [k, plain(v)]));
  if (Array.isArray(value)) return value.map(plain);
  return value;
}

/** Rows of a table of so many columns. */
export const rows = (values, width) => Math.floor(values.length / width);

export function particle(values, i) {
  const v = values.subarray(10 * i, 10 * i + 10);
  return {
    index: i, pt: v[0], eta: v[1], phi: v[2], charge: v[3], kind: KINDS[v[4]] ? v[4] : 5,
    from: [v[5], v[6], v[7]], relevance: v[8], jet: v[9],
  };
}

/** Paths of all particles: the given points where a track has them, else a helix. */
export function paths(particles, points, field, limit) {
  const given = new Map();
  for (let i = 0; i < points.length; i += 4) {
    if (!given.has(points[i])) given.set(points[i], []);
    given.get(points[i]).push(points[i + 1], points[i + 2], points[i + 3]);
  }
  return Array.from({ length: rows(particles, 10) }, (_, i) => {
    if ((given.get(i) || []).length >= 6) return Float32Array.from(given.get(i));
    const p = particle(particles, i);
    if (p.kind === 4) return muon(p, field, limit);
    return helix(p, field, p.kind === 1 ? limit.hcal : limit);
  });
}

/** Whether a particle passes the cuts; one of unknown charge is neither charged nor neutral. */
export function passes(p, cuts) {
  if (p.pt < cuts.pt_min || Math.abs(p.eta) > cuts.eta_max) return false;
  if (cuts.kinds && !cuts.kinds.includes(KINDS[p.kind].name)) return false;
  if (cuts.charges === "neutral") return p.charge === 0;
  if (cuts.charges === "charged") return Math.abs(p.charge) > 0;
  if (cuts.charges === "+") return p.charge > 0;
  if (cuts.charges === "-") return p.charge < 0;
  return true;
}

/** Rows of a table of deposits that pass; energy in the first column, eta at `at` or the direction of the corners. */
export function deposits(values, width, cuts) {
  const kept = [];
  for (let i = 0; i < rows(values, width); i++) {
    const o = width * i;
    const eta = width === WIDTH.cells ? middle(values, o) : values[o + 1];
    if (values[o] >= cuts.energy_min && Math.abs(eta) <= cuts.eta_max) kept.push(i);
  }
  return kept;
}

function middle(values, o) {
  return Math.asinh(values[o + 4] / Math.max(Math.hypot(values[o + 2], values[o + 3]), 1e-9));
}

export const cellEta = (values, i) => middle(values, WIDTH.cells * i);
export const cellPhi = (values, i) => Math.atan2(values[WIDTH.cells * i + 3], values[WIDTH.cells * i + 2]);
