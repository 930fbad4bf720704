// Text around and on the picture: legend, caption, hover label, jet labels, axes and scale bar. Text is always set as text.

import { ground } from "./colours.js";

export const STYLE = `
.wbd { position: relative; width: 100%; height: 100%; min-height: 240px; overflow: hidden; border-radius: 6px;
  font: 12px/1.4 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; }
.wbd canvas { position: absolute; inset: 0; display: block; }
.wbd canvas.wbd-picture { outline: none; touch-action: none; cursor: grab; }
.wbd canvas.wbd-picture:focus-visible { box-shadow: inset 0 0 0 3px #4FA6E0; }
.wbd .wbd-focus { position: absolute; inset: 0; pointer-events: none; border-radius: 6px; }
.wbd canvas.wbd-picture:focus-visible ~ .wbd-focus { box-shadow: inset 0 0 0 3px #4FA6E0; }
.wbd canvas.wbd-labels { pointer-events: none; }
.wbd-panel { position: absolute; padding: 6px 9px; border-radius: 5px; border: 1px solid; pointer-events: none;
  max-width: min(46%, 420px); }
.wbd-legend { top: 10px; right: 10px; }
.wbd-caption { left: 10px; top: 10px; }
.wbd-caption b { font-size: 13px; }
.wbd-caption p, .wbd-legend p { margin: 0; }
.wbd-caption details { pointer-events: auto; }
.wbd-caption summary { cursor: pointer; }
.wbd-caption ul { margin: 2px 0 0; padding-left: 16px; }
.wbd-row { display: flex; align-items: center; gap: 7px; white-space: nowrap; }
.wbd-row svg { flex: none; }
.wbd-bar { height: 10px; min-width: 150px; border-radius: 2px; margin-top: 2px; }
.wbd-ends { display: flex; justify-content: space-between; }
.wbd-hover { white-space: pre; max-width: none; z-index: 2; }
.wbd-sorry { inset: 0; margin: auto; height: fit-content; width: fit-content; text-align: center; font-size: 14px; }
.wbd-hidden { display: none; }
`;

export function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

/** Colours a panel for dark or light ground. */
export function paint(panel, background) {
  const c = ground(background);
  Object.assign(panel.style, { color: c.text, background: c.panel, borderColor: c.rule });
}

function sample({ colour, width = 2, dash = [], shape = "line" }) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("width", "30");
  svg.setAttribute("height", "12");
  svg.setAttribute("aria-hidden", "true");
  const make = (name, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    svg.appendChild(node);
  };
  if (shape === "box") make("rect", { x: 8, y: 1, width: 14, height: 10, fill: colour });
  else if (shape === "outlined") make("rect", { x: 8, y: 1, width: 14, height: 10, fill: colour, stroke: "currentColor", "stroke-width": 1.5 });
  else if (shape === "cone") make("path", { d: "M2 6 L26 1 L26 11 Z", fill: colour, "fill-opacity": 0.35, stroke: colour });
  else make("line", { x1: 1, y1: 6, x2: 29, y2: 6, stroke: colour, "stroke-width": width, "stroke-dasharray": dash.join(" ") });
  return svg;
}

/** Fills the legend; entries are {name, colour, width, dash, shape} or a scale {stops, low, high, title}. */
export function legend(panel, entries, scale, note) {
  panel.replaceChildren();
  for (const entry of entries) {
    const row = element("div", "wbd-row");
    row.append(sample(entry), element("span", "", entry.name));
    panel.append(row);
  }
  if (scale) {
    panel.append(element("p", "", scale.title));
    const bar = element("div", "wbd-bar");
    bar.style.background = `linear-gradient(to right, ${scale.stops.join(", ")})`;
    const ends = element("div", "wbd-ends");
    ends.append(...ticks(scale).map((x) => element("span", "", x)));
    panel.append(bar, ends);
  }
  if (note) panel.append(element("p", "", note));
  panel.classList.toggle("wbd-hidden", !entries.length && !scale && !note);
}

export const ticks = (scale) =>
  scale.low < 0 ? [number(scale.low), "0", `+${number(scale.high)}`] : [number(scale.low), number(scale.high)];

/** A number as a reader wants it, with a minus sign. */
export function number(x) {
  if (!Number.isFinite(x)) return "not known";
  const text = Math.abs(x) >= 1000 ? x.toFixed(0) : Math.abs(x) >= 100 ? x.toFixed(0) : Number(x.toPrecision(3)).toString();
  return text.replace("-", "−");
}

/** Fills the caption: title, where the event is from, what is drawn of it, what is not known. */
export function caption(panel, { title, caption: from, drawn, picked, missing }) {
  const wasOpen = panel.querySelector("details")?.open;
  panel.replaceChildren();
  if (title) {
    const line = element("p");
    line.append(element("b", "", title));
    panel.append(line);
  }
  if (from) panel.append(element("p", "", from));
  for (const text of [drawn, picked]) if (text) panel.append(element("p", "", text));
  if (missing.length) {
    const more = element("details");
    more.open = Boolean(wasOpen);
    more.append(element("summary", "", missing.length === 1 ? "1 thing is not known or schematic" : `${missing.length} things are not known or schematic`));
    const list = element("ul");
    list.append(...missing.map((text) => element("li", "", text)));
    more.append(list);
    panel.append(more);
  }
}

/** Draws the labels on the picture, the important ones first: {x, y, text, colour}, the axes {x, y} of each direction and the scale bar. */
export function labels(context, { width, height, items, axes, bar, background }) {
  const c = ground(background);
  context.font = "600 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif";
  context.textBaseline = "middle";
  const write = (text, x, y, colour, align = "center") => {
    context.textAlign = align;
    context.lineWidth = 3.5;
    context.lineJoin = "round";
    context.strokeStyle = c.ground;
    context.strokeText(text, x, y);
    context.fillStyle = colour;
    context.fillText(text, x, y);
  };
  const taken = [];
  for (const item of items) {
    const half = context.measureText(item.text).width / 2 + 4;
    if (item.x < -20 || item.x > width + 20 || item.y < 0 || item.y > height) continue;
    const x = Math.max(half, Math.min(width - half, item.x));
    // The first ones are the important ones; one that would lie on them is left to the hover label.
    if (taken.some((t) => Math.abs(t.x - x) < t.half + half && Math.abs(t.y - item.y) < 15)) continue;
    taken.push({ x, y: item.y, half });
    write(item.text, x, item.y, item.colour);
  }
  const [ox, oy] = [44, height - 48];
  for (const { name, x, y } of axes) {
    context.strokeStyle = c.quiet;
    context.lineWidth = 1.6;
    context.beginPath();
    context.moveTo(ox, oy);
    context.lineTo(ox + 26 * x, oy - 26 * y);
    context.stroke();
    if (Math.hypot(x, y) > 0.2) write(name, ox + 35 * x, oy - 35 * y, c.text);
  }
  if (bar) {
    const [x, y] = [96, height - 26];
    context.strokeStyle = c.text;
    context.lineWidth = 2;
    context.beginPath();
    context.moveTo(x, y - 4);
    context.lineTo(x, y);
    context.lineTo(x + bar.pixels, y);
    context.lineTo(x + bar.pixels, y - 4);
    context.stroke();
    write(bar.text, x + bar.pixels + 8, y - 2, c.text, "left");
  }
}

/** Writes legend and caption onto an exported picture, where the page shows them as text. */
export function inscribe(context, { width, entries, scale, note, lines, background }) {
  const c = ground(background);
  const font = (weight) => `${weight} 12px system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif`;
  context.textAlign = "left";
  context.textBaseline = "middle";
  lines.forEach((text, i) => {
    context.font = font(i ? 400 : 600);
    context.fillStyle = c.text;
    context.fillText(text, 14, 20 + 17 * i, width * 0.6);
  });
  context.font = font(400);
  const texts = [...entries.map((x) => x.name), ...(scale ? [scale.title] : []), ...(note ? [note] : [])];
  const wide = Math.max(0, ...texts.map((x) => context.measureText(x).width));
  const left = width - wide - 60;
  entries.forEach((entry, i) => {
    const y = 20 + 17 * i;
    swatch(context, entry, left, y, c);
    context.fillStyle = c.text;
    context.fillText(entry.name, left + 40, y);
  });
  let y = 20 + 17 * entries.length;
  if (scale) {
    context.fillStyle = c.text;
    context.fillText(scale.title, left + 40, y);
    const fill = context.createLinearGradient(left + 40, 0, width - 14, 0);
    scale.stops.forEach((stop, i) => fill.addColorStop(i / (scale.stops.length - 1), stop));
    context.fillStyle = fill;
    context.fillRect(left + 40, y + 9, width - 54 - left, 9);
    context.fillStyle = c.text;
    const ends = ticks(scale);
    context.fillText(ends[0], left + 40, y + 27);
    context.textAlign = "right";
    context.fillText(ends.at(-1), width - 14, y + 27);
    context.textAlign = "left";
    y += 44;
  }
  if (note) context.fillText(note, left + 40, y);
}

function swatch(context, { colour, width = 2, dash = [], shape = "line" }, x, y, c) {
  context.save();
  context.fillStyle = context.strokeStyle = colour;
  if (shape === "line") {
    context.lineWidth = width;
    context.setLineDash(dash);
    context.beginPath();
    context.moveTo(x, y);
    context.lineTo(x + 30, y);
    context.stroke();
  } else {
    context.globalAlpha = shape === "cone" ? 0.5 : 1;
    context.fillRect(x + 8, y - 5, 14, 10);
    if (shape === "outlined") {
      context.globalAlpha = 1;
      context.lineWidth = 1.5;
      context.strokeStyle = c.text;
      context.strokeRect(x + 8, y - 5, 14, 10);
    }
  }
  context.restore();
}
