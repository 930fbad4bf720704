// Deposits in calorimeters: towers as boxes on the front of their calorimeter, cells with their own corners, as long as their energy.

import * as THREE from "three";
import { cellEta, cellPhi } from "./scene.js";
import { direction, fraction, surface } from "./helix.js";

const OUTLINED = 4000;
const FACES = [0, 1, 2, 0, 2, 3, 4, 6, 5, 4, 7, 6, 0, 4, 5, 0, 5, 1, 1, 5, 6, 1, 6, 2, 2, 6, 7, 2, 7, 3, 3, 7, 4, 3, 4, 0];
const EDGES = [0, 1, 1, 2, 2, 3, 3, 0, 4, 5, 5, 6, 6, 7, 7, 4, 0, 4, 1, 5, 2, 6, 3, 7];

const solid = (colour) => new THREE.MeshLambertMaterial({ color: colour, flatShading: true, side: THREE.DoubleSide });

/** Where a tower stands: its foot on the calorimeter, its frame of unit vectors along phi, along eta and outwards, its widths in m. */
export function place(eta, phi, widths, limit) {
  const foot = surface(eta, limit);
  const out = direction(eta, phi);
  const across = [-Math.sin(phi), Math.cos(phi), 0];
  const up = [
    out[1] * across[2] - out[2] * across[1], out[2] * across[0] - out[0] * across[2], out[0] * across[1] - out[1] * across[0],
  ];
  // An interval of eta seen from the origin is an angle of width / cosh(eta), one of phi too.
  const near = foot / Math.cosh(eta);
  return { foot, out, across, up, wide: near * widths[1], high: near * widths[0] };
}

/** Towers of one layer as instances of one box; the HCAL's stand on their own radius and are outlined. */
export function towers(values, kept, { limit, largest, longest, scale, colours }) {
  const group = new THREE.Group();
  for (const layer of [0, 1, 2]) {
    const rows = kept.filter((i) => values[6 * i + 5] === layer);
    if (!rows.length) continue;
    const colour = new THREE.Color([colours.ecal, colours.hcal, colours.cells][layer]);
    const box = new THREE.BoxGeometry(1, 1, 1).translate(0, 0, 0.5);
    const drawn = new THREE.InstancedMesh(box, solid(colour), rows.length);
    const matrix = new THREE.Matrix4();
    rows.forEach((i, n) => {
      const [energy, eta, phi, dEta, dPhi] = values.subarray(6 * i, 6 * i + 6);
      const at = place(eta, phi, [dEta, dPhi], layer === 1 ? limit.hcal : limit);
      const long = Math.max(0.004, longest * fraction(energy, largest, scale));
      const [x, y, z] = [at.across.map((v) => 0.86 * at.wide * v), at.up.map((v) => 0.86 * at.high * v), at.out.map((v) => long * v)];
      const o = at.out.map((v) => at.foot * v);
      matrix.set(x[0], y[0], z[0], o[0], x[1], y[1], z[1], o[1], x[2], y[2], z[2], o[2], 0, 0, 0, 1);
      drawn.setMatrixAt(n, matrix);
    });
    drawn.frustumCulled = false;
    drawn.userData = { table: "towers", rows };
    group.add(drawn);
    if (layer === 1 && rows.length <= OUTLINED) group.add(outlines(drawn, colour));
  }
  return group;
}

function outlines(instances, colour) {
  const unit = [[-0.5, -0.5, 0], [0.5, -0.5, 0], [0.5, 0.5, 0], [-0.5, 0.5, 0], [-0.5, -0.5, 1], [0.5, -0.5, 1], [0.5, 0.5, 1], [-0.5, 0.5, 1]];
  const lines = new Float32Array(instances.count * EDGES.length * 3);
  const matrix = new THREE.Matrix4();
  const corner = new THREE.Vector3();
  for (let n = 0, at = 0; n < instances.count; n++) {
    instances.getMatrixAt(n, matrix);
    for (const e of EDGES) {
      corner.set(...unit[e]).applyMatrix4(matrix).toArray(lines, at);
      at += 3;
    }
  }
  return edged(lines, colour);
}

function edged(lines, colour) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.BufferAttribute(lines, 3));
  const shade = colour.clone().lerp(new THREE.Color(0x000000), 0.55);
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: shade }));
}

/** Cells from their eight corners: the front stays, the back moves to the length of the energy. */
export function cells(values, kept, { largest, longest, scale, colours }) {
  const group = new THREE.Group();
  for (const layer of [0, 1, 2]) {
    const rows = kept.filter((i) => values[26 * i + 1] === layer);
    if (!rows.length) continue;
    const colour = new THREE.Color([colours.ecal, colours.hcal, colours.cells][layer]);
    const positions = new Float32Array(24 * rows.length);
    const index = new Uint32Array(36 * rows.length);
    const lines = layer === 1 && rows.length <= OUTLINED ? new Float32Array(72 * rows.length) : null;
    rows.forEach((i, n) => {
      const c = values.subarray(26 * i + 2, 26 * i + 26);
      stretch(c, Math.max(0.004, longest * fraction(values[26 * i], largest, scale)), positions, 24 * n);
      FACES.forEach((v, k) => (index[36 * n + k] = 8 * n + v));
      if (lines) EDGES.forEach((v, k) => lines.set(positions.subarray(24 * n + 3 * v, 24 * n + 3 * v + 3), 72 * n + 3 * k));
    });
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.BufferAttribute(positions, 3));
    geometry.setIndex(new THREE.BufferAttribute(index, 1));
    const drawn = new THREE.Mesh(geometry, solid(colour));
    drawn.userData = { table: "cells", rows };
    group.add(drawn);
    if (lines) group.add(edged(lines, colour));
  }
  return group;
}

function stretch(corners, length, positions, at) {
  for (let j = 0; j < 4; j++) {
    const front = corners.subarray(3 * j, 3 * j + 3);
    const back = corners.subarray(12 + 3 * j, 15 + 3 * j);
    const d = [0, 1, 2].map((k) => back[k] - front[k]);
    const deep = Math.hypot(...d) || 1;
    for (let k = 0; k < 3; k++) {
      positions[at + 3 * j + k] = front[k];
      positions[at + 12 + 3 * j + k] = front[k] + (d[k] / deep) * length;
    }
  }
}

/** What a deposit is, for its label. */
export function deposit(table, values, i) {
  const parts = ["ECAL", "HCAL", "calorimeter"];
  if (table === "towers") {
    const [energy, eta, phi, , , layer] = values.subarray(6 * i, 6 * i + 6);
    return { name: `${parts[layer]} tower`, energy, eta, phi };
  }
  return { name: `${parts[values[26 * i + 1]]} cell`, energy: values[26 * i], eta: cellEta(values, i), phi: cellPhi(values, i) };
}
