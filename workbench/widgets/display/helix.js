// Paths of particles and lengths of towers: plain numbers in, plain numbers out, metres, GeV and tesla. No three.js here.

const WITHOUT_DETECTOR = { r: 1.29, z: 3.0, hcal: { r: 1.77, z: 3.9 }, muon: { r: 3.5, z: 5.0 }, solenoid: 2.9 };
const STEP = (4 * Math.PI) / 180;
const MOST_STEPS = 120;

/** Where particles end in a detector: the front of its calorimeters and the end of its muon system. */
export function bounds(layers) {
  const rows = layers || [];
  const front = (role, fallback) => {
    const barrel = rows.filter((x) => x.role === role && x.kind === "barrel").map((x) => Math.min(...x.r));
    const endcap = rows
      .filter((x) => x.role === role && x.kind !== "barrel")
      .map((x) => Math.min(...x.z.map(Math.abs)))
      .filter((z) => z > 0);
    const ends = rows.filter((x) => x.role === role && x.kind === "barrel").map((x) => Math.max(...x.z.map(Math.abs)));
    const r = barrel.length ? Math.min(...barrel) : fallback.r;
    const z = endcap.length ? Math.min(...endcap) : ends.length ? Math.max(...ends) : fallback.z;
    return { r, z };
  };
  const ecal = front("ECAL", WITHOUT_DETECTOR);
  const hcal = front("HCAL", { r: Math.max(1.37 * ecal.r, ecal.r), z: Math.max(1.2 * ecal.z, ecal.z) });
  const muons = rows.filter((x) => x.role === "muon");
  const muon = muons.length
    ? { r: Math.max(...muons.map((x) => Math.max(...x.r))), z: Math.max(...muons.flatMap((x) => x.z.map(Math.abs))) }
    : { r: 1.9 * hcal.r, z: 1.5 * hcal.z };
  const coils = rows.filter((x) => x.role === "solenoid").map((x) => Math.max(...x.r));
  return { ...ecal, hcal, muon, solenoid: coils.length ? Math.max(...coils) : hcal.r };
}

/** Radius of the circle in the plane across the field: R [m] = pT [GeV] / (0.3 |q| B [T]). */
export function radius(pt, charge, field) {
  const bend = 0.299792458 * Math.abs(charge * field);
  return bend > 0 ? pt / bend : Infinity;
}

/** The point at transverse path length s of a helix that starts at `from` with direction (eta, phi). */
export function along(track, field, s) {
  const { pt, eta, phi, charge, from } = track;
  const r = radius(pt, charge, field);
  const z = from[2] + s * Math.sinh(eta);
  if (!Number.isFinite(r)) return [from[0] + s * Math.cos(phi), from[1] + s * Math.sin(phi), z];
  const k = Math.sign(charge * field) / r;
  const turned = phi - k * s;
  return [
    from[0] + (Math.sin(phi) - Math.sin(turned)) / k,
    from[1] + (Math.cos(turned) - Math.cos(phi)) / k,
    z,
  ];
}

/** Transverse path length at which a helix leaves the cylinder, at most one turn of it. */
export function exit(track, field, limit) {
  const start = Math.hypot(track.from[0], track.from[1]);
  const r = Math.max(limit.r, start + 0.1);
  const z = Math.max(limit.z, Math.abs(track.from[2]) + 0.1);
  const circle = radius(track.pt, track.charge, field);
  const inside = (s) => {
    const [x, y, w] = along(track, field, s);
    return Math.hypot(x, y) < r && Math.abs(w) < z;
  };
  const turn = 2 * Math.PI * circle;
  const ds = Math.min(r / 16, circle / 8);
  const most = Math.min(turn, 4 * (r + start));
  let low = 0;
  let high = ds;
  while (high < most && inside(high)) {
    low = high;
    high += ds;
  }
  if (inside(Math.min(high, most))) return most;
  high = Math.min(high, most);
  for (let i = 0; i < 40; i++) {
    const middle = 0.5 * (low + high);
    if (inside(middle)) low = middle;
    else high = middle;
  }
  return low;
}

/** The path of a particle as x, y, z, x, y, z, …; straight where the charge is zero or not known. */
export function helix(track, field, limit) {
  const known = { ...track, charge: Number.isFinite(track.charge) ? track.charge : 0 };
  const end = exit(known, field, limit);
  const angle = end / radius(known.pt, known.charge, field);
  const n = Math.min(MOST_STEPS, Math.max(1, Math.ceil(angle / STEP)));
  const path = new Float32Array(3 * (n + 1));
  for (let i = 0; i <= n; i++) path.set(along(known, field, (end * i) / n), 3 * i);
  return path;
}

/** A muon's path: the helix up to the coil and from there straight on to the end of the muon system. */
export function muon(track, field, limit) {
  const inner = helix(track, field, { r: limit.solenoid, z: Math.max(limit.z, limit.hcal.z) });
  const n = inner.length / 3;
  const at = Array.from(inner.slice(3 * n - 3));
  const before = Array.from(inner.slice(3 * n - 6, 3 * n - 3));
  const flat = Math.hypot(at[0] - before[0], at[1] - before[1]) || 1e-9;
  const onwards = {
    pt: track.pt,
    charge: 0,
    phi: Math.atan2(at[1] - before[1], at[0] - before[0]),
    eta: Math.asinh((at[2] - before[2]) / flat),
    from: at,
  };
  const outer = helix(onwards, 0, limit.muon);
  const path = new Float32Array(inner.length + 3);
  path.set(inner);
  path.set(outer.slice(outer.length - 3), inner.length);
  return path;
}

/** Unit vector of a direction. */
export function direction(eta, phi) {
  const c = Math.cosh(eta);
  return [Math.cos(phi) / c, Math.sin(phi) / c, Math.tanh(eta)];
}

/** Distance from the origin at which a direction meets the cylinder. */
export function surface(eta, limit) {
  const c = Math.cosh(eta);
  return Math.min(limit.r * c, limit.z / Math.max(Math.abs(Math.tanh(eta)), 1e-9));
}

/** Length in [0, 1] of an energy beside the largest one. */
export function fraction(energy, largest, scale) {
  if (!(energy > 0) || !(largest > 0)) return 0;
  const x = Math.min(energy / largest, 1);
  if (scale === "sqrt") return Math.sqrt(x);
  if (scale === "log") return Math.log1p((x * largest) / 0.1) / Math.log1p(largest / 0.1);
  return x;
}

/** Distance from a point to a segment, all in the plane. */
export function nearness(px, py, ax, ay, bx, by) {
  const dx = bx - ax;
  const dy = by - ay;
  const t = Math.max(0, Math.min(1, ((px - ax) * dx + (py - ay) * dy) / (dx * dx + dy * dy || 1)));
  return Math.hypot(px - ax - t * dx, py - ay - t * dy);
}

/** A round length of a scale bar that is about `metres` long. */
export function round(metres) {
  const power = 10 ** Math.floor(Math.log10(metres));
  return [5, 2, 1].map((x) => x * power).find((x) => x <= metres) ?? power;
}
