// Schematic detectors: hollow cylinders and rings, with a quarter cut out where one wants to look in.

import * as THREE from "three";
import { role } from "./colours.js";

const SLICES = 72;
const FULL = [0, 2 * Math.PI];
const OPEN = [Math.PI / 2, 2 * Math.PI]; // the quarter x > 0, y > 0 is cut out

/** All pieces of a layer as [r from, r to, z from, z to]: an endcap lies on both sides. */
export function pieces(layer) {
  const [inner, outer] = [Math.min(...layer.r), Math.max(...layer.r)];
  const [low, high] = [Math.min(...layer.z), Math.max(...layer.z)];
  if (layer.kind === "barrel" || low < 0) return [[inner, outer, low, high]];
  return [[inner, outer, low, high], [inner, outer, -high, -low]];
}

function turned([inner, outer, low, high], [from, to]) {
  const surface = [];
  const quad = (a, b, c, d) => surface.push(...a, ...b, ...c, ...a, ...c, ...d);
  const at = (r, phi, z) => [r * Math.cos(phi), r * Math.sin(phi), z];
  for (let i = 0; i < SLICES; i++) {
    const a = from + ((to - from) * i) / SLICES;
    const b = from + ((to - from) * (i + 1)) / SLICES;
    quad(at(outer, a, low), at(outer, b, low), at(outer, b, high), at(outer, a, high));
    quad(at(inner, b, low), at(inner, a, low), at(inner, a, high), at(inner, b, high));
    for (const z of [low, high]) quad(at(inner, a, z), at(outer, a, z), at(outer, b, z), at(inner, b, z));
  }
  return surface;
}

function cuts([inner, outer, low, high], angles) {
  return angles.flatMap((phi) => {
    const [a, b, c, d] = [[inner, low], [outer, low], [outer, high], [inner, high]].map(([r, z]) => [
      r * Math.cos(phi), r * Math.sin(phi), z,
    ]);
    return [...a, ...b, ...c, ...a, ...c, ...d];
  });
}

function rims([inner, outer, low, high], [from, to], open) {
  const lines = [];
  const ring = (r, z) => {
    for (let i = 0; i < SLICES; i++) {
      for (const j of [i, i + 1]) {
        const phi = from + ((to - from) * j) / SLICES;
        lines.push(r * Math.cos(phi), r * Math.sin(phi), z);
      }
    }
  };
  for (const r of [inner, outer]) for (const z of [low, high]) ring(r, z);
  if (open) {
    for (const phi of [from, to]) {
      const corners = [[inner, low], [outer, low], [outer, high], [inner, high]];
      corners.forEach(([r, z], i) => {
        const [s, w] = corners[(i + 1) % 4];
        lines.push(r * Math.cos(phi), r * Math.sin(phi), z, s * Math.cos(phi), s * Math.sin(phi), w);
      });
    }
  }
  return lines;
}

function mesh(positions, colour, opacity, side = THREE.DoubleSide) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute(positions, 3));
  const material = new THREE.MeshBasicMaterial({
    color: colour, transparent: true, opacity, side, depthWrite: false,
  });
  return new THREE.Mesh(geometry, material);
}

/** All layers of a detector. Fainter the larger they are, so that the inner ones still show. */
export function detector(layers, { opacity, wedge, background }) {
  const group = new THREE.Group();
  const arc = wedge ? OPEN : FULL;
  for (const layer of layers) {
    const colour = new THREE.Color(role(layer.role, background));
    const faint = layer.role === "muon" ? 0.25 : layer.role === "solenoid" ? 0.4 : 1;
    for (const piece of pieces(layer)) {
      // Only the walls that face away are filled: one looks into the detector, never through its near side.
      const shell = mesh(turned(piece, arc), colour, 0.22 * opacity * faint, THREE.BackSide);
      const lines = new THREE.BufferGeometry();
      lines.setAttribute("position", new THREE.Float32BufferAttribute(rims(piece, arc, wedge), 3));
      const line = new THREE.LineBasicMaterial({
        color: colour, transparent: true, opacity: Math.min(1, 1.8 * opacity * faint), depthWrite: false,
      });
      group.add(shell, new THREE.LineSegments(lines, line));
      if (wedge) group.add(mesh(cuts(piece, arc), colour, Math.min(1, 0.55 * opacity * faint)));
    }
  }
  group.traverse((x) => (x.renderOrder = 1));
  return group;
}

/** The beam line, to a little beyond what is drawn. */
export function beam(z, colour) {
  const geometry = new THREE.BufferGeometry();
  geometry.setAttribute("position", new THREE.Float32BufferAttribute([0, 0, -z, 0, 0, z], 3));
  return new THREE.LineSegments(geometry, new THREE.LineBasicMaterial({ color: colour }));
}
