// Colours and line styles. The default set is Okabe and Ito's; every kind also has a dash pattern and a width of its own.

export const KINDS = [
  { name: "charged hadron", width: 1.6, dash: [] },
  { name: "neutral hadron", width: 1.6, dash: [9, 4, 2, 4] },
  { name: "photon", width: 2.0, dash: [2, 4] },
  { name: "electron", width: 2.2, dash: [9, 5] },
  { name: "muon", width: 4.2, dash: [] },
  { name: "unknown", width: 1.1, dash: [] },
  { name: "tau", width: 3.0, dash: [16, 5] },
];

const SAFE = {
  dark: ["#4FA6E0", "#9DB8A6", "#F0C93A", "#F2A21B", "#FF7A33", "#F2F2F2", "#D98CB8"],
  light: ["#0F6DB0", "#56705F", "#9A7400", "#B35F00", "#C24A00", "#1A1A1A", "#A04A80"],
};
const EXPERIMENT = {
  dark: ["#9BE564", "#6FA8FF", "#F7E463", "#4CE0C6", "#FF4D4D", "#DDDDDD", "#FF9BD2"],
  light: ["#3B7D0C", "#2C5FC0", "#8C7400", "#00796B", "#C00000", "#333333", "#A3246F"],
};
const THINGS = {
  "colour-blind safe": {
    dark: { ecal: "#12B384", hcal: "#56B4E9", cells: "#A0A7AF", jet: "#F0E442", met: "#E79AC6", one: "#4FA6E0" },
    light: { ecal: "#00815E", hcal: "#2E8DC4", cells: "#6E757C", jet: "#736A00", met: "#A3407F", one: "#0F6DB0" },
  },
  experiment: {
    dark: { ecal: "#FF4136", hcal: "#3D8BFF", cells: "#A0A7AF", jet: "#FFE14D", met: "#FF4DF0", one: "#9BE564" },
    light: { ecal: "#C81E12", hcal: "#1F5FCC", cells: "#6E757C", jet: "#7A6500", met: "#B000A4", one: "#3B7D0C" },
  },
};
const GROUND = {
  dark: { ground: "#0D1117", text: "#E8ECF1", quiet: "#A9B4C0", panel: "rgba(18, 24, 32, 0.86)", rule: "#3A4653", beam: "#7C8894" },
  light: { ground: "#FFFFFF", text: "#14181D", quiet: "#4B5560", panel: "rgba(255, 255, 255, 0.90)", rule: "#C7CED6", beam: "#6C7782" },
};
const ROLES = {
  "beam pipe": ["#C8CFD6", "#7A838C"],
  pixel: ["#8FB7FF", "#3C66B8"],
  strip: ["#6FA3D8", "#3F77AE"],
  solenoid: ["#B9A8D9", "#7B66A6"],
  ECAL: ["#5FD0AE", "#2B8F6F"],
  HCAL: ["#7FBCE8", "#3C83B5"],
  muon: ["#D9907A", "#A9573C"],
};
const STRENGTH = {
  dark: ["#3F74B5", "#3FA7C9", "#7FD6C2", "#F7F3B0"],
  light: ["#7FAFDB", "#3B8AC0", "#15508A", "#0B1F4B"],
};
const SIGNED = {
  dark: ["#62B0F5", "#4F8AC4", "#87909A", "#D07A5C", "#FF8063"],
  light: ["#2166AC", "#67A9CF", "#B4B8BC", "#EF8A62", "#B2182B"],
};
const SIGNS = { dark: ["#FF9B61", "#62B0F5", "#A9B4C0", "#F2F2F2"], light: ["#B2450F", "#1463A5", "#5C6670", "#1A1A1A"] };
const MANY = {
  dark: ["#4FA6E0", "#F2A21B", "#12B384", "#D98CB8", "#F0E442", "#FF7A33", "#A9B4C0"],
  light: ["#0F6DB0", "#B35F00", "#00815E", "#A04A80", "#8A7F00", "#C24A00", "#5C6670"],
};

export const side = (background) => (background === "light" ? "light" : "dark");
export const ground = (background) => GROUND[side(background)];
export const kinds = (palette, background) => (palette === "experiment" ? EXPERIMENT : SAFE)[side(background)];
export const things = (palette, background) => (THINGS[palette] || THINGS["colour-blind safe"])[side(background)];
export const role = (name, background) => (ROLES[name] || ROLES.strip)[side(background) === "dark" ? 0 : 1];
export const strength = (background) => STRENGTH[side(background)];
export const signed = (background) => SIGNED[side(background)];
export const signs = (background) => SIGNS[side(background)];
export const many = (background) => MANY[side(background)];

const parts = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16) / 255);

/** Colour of a scale of stops at x in [0, 1], as three numbers in [0, 1] (sRGB). */
export function blend(stops, x) {
  const at = Math.max(0, Math.min(1, x)) * (stops.length - 1);
  const i = Math.min(Math.floor(at), stops.length - 2);
  const [low, high] = [parts(stops[i]), parts(stops[i + 1])];
  return low.map((c, j) => c + (at - i) * (high[j] - c));
}

export const rgb = parts;
export const css = (c) => `rgb(${c.map((x) => Math.round(255 * x)).join(", ")})`;
