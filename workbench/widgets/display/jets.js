// Jets as cones that are circles in eta and phi, and the missing transverse momentum as a dashed arrow.

import * as THREE from "three";
import { segments, stroke } from "./tracks.js";
import { direction, surface } from "./helix.js";

const AROUND = 64;
const FILLED = 6;

/** Points of a jet's circle in eta and phi on the calorimeter. */
export function rim(eta, phi, r, limit) {
  const far = surface(eta, limit);
  return Array.from({ length: AROUND + 1 }, (_, i) => {
    const a = (2 * Math.PI * i) / AROUND;
    return direction(eta + r * Math.cos(a), phi + r * Math.sin(a)).map((x) => far * x);
  });
}

/** Cones of jets; rows are indices of the table of jets, the hardest first: those are filled, the soft ones only outlined. */
export function cones(values, rows, { limit, colours }) {
  const group = new THREE.Group();
  const colour = new THREE.Color(colours.jet);
  for (const [rank, i] of rows.entries()) {
    const strong = rank < FILLED;
    const [, eta, phi, , r] = values.subarray(5 * i, 5 * i + 5);
    const edge = rim(eta, phi, r > 0 ? r : 0.4, limit);
    const positions = [];
    for (let k = 0; k < AROUND; k++) positions.push(0, 0, 0, ...edge[k], ...edge[k + 1]);
    const geometry = new THREE.BufferGeometry();
    geometry.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3));
    const material = new THREE.MeshBasicMaterial({
      color: colour, transparent: true, opacity: strong ? 0.09 : 0.012, side: THREE.DoubleSide, depthWrite: false,
    });
    const cone = new THREE.Mesh(geometry, material);
    cone.renderOrder = 2;
    cone.userData = { table: "jets", row: i };
    const line = Float32Array.from(edge.flat());
    const ring = segments([line], null, stroke({ width: 1.4, dash: [] }, { color: colour, transparent: true, opacity: strong ? 0.9 : 0.35 }));
    group.add(cone, ring);
    if (!strong) continue;
    const ribs = [0, 1, 2, 3].map((q) => Float32Array.from([0, 0, 0, ...edge[(q * AROUND) / 4]]));
    const thin = segments(ribs, null, stroke({ width: 0.8, dash: [] }, { color: colour, transparent: true, opacity: 0.4 }));
    group.add(thin);
  }
  return group;
}

/** Where the label of a jet is. */
export const tip = (values, i, limit) => {
  const [eta, phi] = [values[5 * i + 1], values[5 * i + 2]];
  return direction(eta, phi).map((x) => 1.04 * surface(eta, limit) * x);
};

/** The arrow of the missing transverse momentum, of a length beside the hardest jet's. */
export function missing([pt, phi], { limit, hardest, colours }) {
  const group = new THREE.Group();
  const colour = new THREE.Color(colours.met);
  const long = 1.25 * limit.r * Math.max(0.4, Math.min(1, pt / Math.max(pt, hardest, 1)));
  const end = [long * Math.cos(phi), long * Math.sin(phi), 0];
  const line = segments([Float32Array.from([0, 0, 0, ...end])], null, stroke({ width: 3, dash: [10, 6] }, { color: colour }));
  const head = new THREE.Mesh(new THREE.ConeGeometry(0.04 * limit.r, 0.13 * limit.r, 20), new THREE.MeshBasicMaterial({ color: colour }));
  head.position.set(...end);
  head.quaternion.setFromUnitVectors(new THREE.Vector3(0, 1, 0), new THREE.Vector3(...end).normalize());
  // The arrow is seen through everything: it stands for what the detector did not see.
  for (const part of [line, head]) Object.assign(part.material, { depthTest: false, transparent: true });
  [line.renderOrder, head.renderOrder] = [6, 6];
  group.add(line, head);
  group.userData = { end: end.map((x) => 1.14 * x) };
  return group;
}
