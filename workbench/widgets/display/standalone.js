// A page that carries its scene with it: reads the scene from the page, gives it a few controls, needs no server.

import { ground } from "./colours.js";
import { element } from "./labels.js";
import { WIDTH } from "./scene.js";

const ID = "workbench-scene";
const CHOICES = {
  preset_view: ["View", ["home", "x-y", "r-z", "jet axis"]],
  colour_by: ["Colour by", ["kind", "pt", "charge", "vertex", "relevance", "one"]],
  charges: ["Charge", ["all", "charged", "neutral", "+", "-"]],
  length_scale: ["Tower length", ["linear", "log", "sqrt"]],
  projection: ["Projection", ["perspective", "orthographic"]],
  background: ["Background", ["dark", "light"]],
};
const NUMBERS = {
  pt_min: ["Particles from pT, GeV", 0.1],
  energy_min: ["Deposits from E, GeV", 0.1],
  jet_pt_min: ["Jets from pT, GeV", 1],
  opacity: ["Detector opacity", 0.05],
};
const STYLE = `
html, body { margin: 0; height: 100%; }
body { display: flex; flex-direction: column; font: 13px system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
#controls { display: flex; flex-wrap: wrap; gap: 6px 16px; padding: 8px 12px; align-items: center; }
#controls label { display: flex; gap: 6px; align-items: center; }
#controls input { width: 5em; } #controls input, #controls select, #controls button { font: inherit; padding: 2px 4px; }
#picture { flex: 1; min-height: 0; }
`;

/** A model with the few methods that a host's model has. */
export class Model {
  constructor(values) {
    this.values = values;
    this.handlers = new Map();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    if (this.values[name] === value) return;
    this.values[name] = value;
    for (const handler of this.handlers.get(`change:${name}`) || []) handler();
  }

  save_changes() {}

  on(event, handler) {
    if (!this.handlers.has(event)) this.handlers.set(event, new Set());
    this.handlers.get(event).add(handler);
  }

  off(event, handler) {
    this.handlers.get(event)?.delete(handler);
  }
}

function decoded(text) {
  const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  return new Float32Array(bytes.buffer);
}

function controls(model) {
  const bar = element("div");
  bar.id = "controls";
  const labelled = (text, control) => {
    const label = element("label", "", text);
    label.append(control);
    bar.append(label);
  };
  for (const [name, [text, options]] of Object.entries(CHOICES)) {
    const select = element("select");
    select.append(...options.map((x) => new Option(x, x, false, x === model.get(name))));
    select.addEventListener("change", () => model.set(name, select.value));
    labelled(text, select);
  }
  for (const [name, [text, step]] of Object.entries(NUMBERS)) {
    const input = element("input");
    Object.assign(input, { type: "number", min: 0, step, value: model.get(name) });
    input.addEventListener("input", () => input.value !== "" && model.set(name, Number(input.value)));
    labelled(text, input);
  }
  const button = element("button", "", "Save as PNG");
  button.addEventListener("click", () => model.set("request", "png@2"));
  bar.append(button);
  return bar;
}

/** Draws the scene that a standalone page carries; does nothing on any other page. */
export function openStandalone(render) {
  const carried = globalThis.document?.getElementById(ID);
  if (!carried) return;
  const { header, shells, arrays, options } = JSON.parse(carried.textContent);
  const tables = Object.fromEntries(Object.keys(WIDTH).map((name) => [name, decoded(arrays[name] || "")]));
  const model = new Model({ request: "", picked: -1, ...options, header, shells, ...tables });
  const place = element("div");
  place.id = "picture";
  const bar = controls(model);
  const dress = () => {
    const c = ground(model.get("background"));
    Object.assign(document.body.style, { background: c.ground, color: c.text, colorScheme: model.get("background") });
  };
  dress();
  model.on("change:background", dress);
  document.body.append(element("style", "", STYLE), bar, place);
  render({ model, el: place });
}
