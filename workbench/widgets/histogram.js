// Draws one observable by class with its errors, the ratio below, and what the hand does on it: a range that is dragged, a
// bin that is clicked, the threshold that is moved. Drawn at once here; Python hears of it and answers with the rest.
const LEFT = 62, RIGHT = 14, LINE = 17, ABOVE = 148, GAP = 14, BELOW = 62, AXIS = 42
const HATCHED = {
  "/": "M-1 1l2-2M0 7l7-7M6 8l2-2", "\\": "M-1 6l2 2M0 0l7 7M6-1l2 2", "-": "M0 3.5h7", "|": "M3.5 0v7",
  "x": "M-1 1l2-2M0 7l7-7M6 8l2-2M-1 6l2 2M0 0l7 7M6-1l2 2", "+": "M0 3.5h7M3.5 0v7", ".": "M3 3.5h1",
}
const SIGNS = {
  circle: "m-3 0a3 3 0 1 0 6 0a3 3 0 1 0-6 0", square: "m-3-3h6v6h-6z", triangle: "m0-3.5l3.5 6h-7z",
  diamond: "m0-4l3.5 4l-3.5 4l-3.5-4z", inverted_triangle: "m0 3.5l3.5-6h-7z", plus: "m-3 0h6m-3-3v6",
  cross: "m-3-3l6 6m0-6l-6 6", star: "m0-4l1.2 2.6l2.8 .3l-2.1 1.9l.6 2.8l-2.5-1.4l-2.5 1.4l.6-2.8l-2.1-1.9l2.8-.3z",
}
const DOT = "m-2 0a2 2 0 1 0 4 0a2 2 0 1 0-4 0"
const SHEET = `
  svg { cursor: crosshair; touch-action: pan-y; user-select: none }
  .tip { position: absolute; top: 24px; padding: 4px 8px; font: 12px Roboto, Helvetica, Arial, sans-serif; white-space: pre;
    pointer-events: none; border-radius: 4px; background: var(--mui-palette-background-paper, #fff);
    color: var(--mui-palette-text-primary, #17212b); border: 1px solid var(--mui-palette-divider, #bbb) }
  .tip:empty { display: none }`

let plots = 0

function power_of_ten(k) {
  return `10${[...String(k)].map((c) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[c] ?? "⁻").join("")}`
}

function decades(low, high) {
  const first = Math.ceil(Math.log10(low)), last = Math.floor(Math.log10(high))
  const every = Math.max(1, Math.ceil((last - first) / 5))
  const found = []
  for (let k = first; k <= last; k += every) found.push([10 ** k, power_of_ten(k)])
  return found
}

function staircase(edges, values, x, y, foot) {
  let path = `M${x(edges[0])} ${foot}`
  values.forEach((value, i) => { path += `V${y(value).toFixed(1)}H${x(edges[i + 1]).toFixed(1)}` })
  return `${path}V${foot}`
}

const bars = (at, low, high, x, y) => at.map((c, i) => `M${x(c).toFixed(1)} ${y(low[i]).toFixed(1)}V${y(high[i]).toFixed(1)}`).join("")
const signs = (at, values, x, y, sign) => at.map((c, i) => `M${x(c).toFixed(1)} ${y(values[i]).toFixed(1)}${sign}`).join("")
const written = (value) => Number(value.toPrecision(3)).toString()

class Plot extends Picture {
  made() {
    this.id = `plot${++plots}`
    this.tip = document.createElement("div")
    this.tip.className = "tip"
    this.root.append(this.tip)
    this.drag = null
    for (const kind of ["pointerdown", "pointermove", "pointerup", "pointercancel", "pointerleave", "dblclick"]) {
      this.svg.addEventListener(kind, (event) => this[kind](event))
    }
    this.model.on("text", () => { this.tip.textContent = "" })
    this.model.on("marks", () => this.mark())
  }

  parts(drawn) {
    const lines = this.lines(drawn.classes.map((c) => c.name))
    const top = lines.length * LINE + 8, foot = top + ABOVE, right = this.width - RIGHT
    const edges = drawn.edges, ends = [edges[0], edges[edges.length - 1]]
    Object.assign(this, {top, foot, right, ends, ratio_top: foot + GAP, ratio_foot: foot + GAP + BELOW})
    this.x = scale(...ends, LEFT, right, false)
    this.y = scale(drawn.low, drawn.high, foot, top, drawn.logarithmic)
    this.r = scale(1 / drawn.span, drawn.span, this.ratio_foot, this.ratio_top, true)
    const svg = document.createDocumentFragment()
    this.patterns(add(svg, "defs"))
    this.axes(svg)
    this.legend(svg, lines)
    this.classes(add(svg, "g", {"clip-path": `url(#${this.id}a)`, fill: "none"}))
    this.ratio(add(svg, "g", {"clip-path": `url(#${this.id}b)`, fill: "none"}))
    this.over = add(svg, "g", {fill: "none"})
    this.mark()
    return [svg, this.ratio_foot + AXIS, `${drawn.x} by class: ${drawn.classes.map((c) => c.name).join(", ")}`]
  }

  patterns(defs) {
    const {top, foot, ratio_top, ratio_foot, right} = this
    for (const [letter, y, height] of [["a", top, foot - top], ["b", ratio_top, ratio_foot - ratio_top]]) {
      add(add(defs, "clipPath", {id: this.id + letter}), "rect", {x: LEFT, y, width: Math.max(right - LEFT, 0), height})
    }
    this.drawn.classes.forEach(({hatch, colour}, i) => {
      if (!HATCHED[hatch]) return
      const tile = add(defs, "pattern", {id: `${this.id}h${i}`, width: 7, height: 7, patternUnits: "userSpaceOnUse"})
      add(tile, "path", {d: HATCHED[hatch], stroke: colour, "stroke-width": 1, "stroke-opacity": 0.5})
    })
  }

  // Names in as many lines as they need.
  lines(names) {
    const lines = [[]]
    let used = 0
    names.forEach((name, i) => {
      const wide = 26 + width_of(name, "12px Roboto, Helvetica, Arial, sans-serif")
      if (used && used + wide > this.width - LEFT - RIGHT) { lines.push([]); used = 0 }
      lines[lines.length - 1].push([i, used, wide])
      used += wide
    })
    return lines
  }

  legend(svg, lines) {
    lines.forEach((line, row) => {
      const [, last, wide] = line[line.length - 1] ?? [0, 0, 0], shift = this.right - last - wide
      for (const [i, at] of line) {
        const c = this.drawn.classes[i], box = {x: shift + at + 4, y: row * LINE + 4, width: 11, height: 11}
        this.area(svg, "rect", box, c, i)
        add(svg, "text", {x: box.x + 15, y: box.y + 10, "font-size": 12}, c.name)
      }
    })
  }

  area(place, kind, shape, {colour, hatch}, i) {
    add(place, kind, {...shape, fill: colour, "fill-opacity": i ? 0.1 : 0.3, stroke: colour, "stroke-width": 1.6})
    if (HATCHED[hatch]) add(place, kind, {...shape, fill: `url(#${this.id}h${i})`})
  }

  axes(svg) {
    const {drawn, top, foot, ratio_top, ratio_foot, right, x, y, r} = this
    const grid = add(svg, "g", {stroke: "currentColor", "stroke-opacity": 0.13})
    const axis = add(svg, "g", {stroke: "currentColor", "stroke-opacity": 0.6, fill: "none"})
    const across = steps(...this.ends, Math.min(7, (right - LEFT) / 46))
    for (const value of across) {
      add(grid, "path", {d: `M${x(value)} ${top}V${foot}M${x(value)} ${ratio_top}V${ratio_foot}`})
      add(axis, "path", {d: `M${x(value)} ${ratio_foot}v4`})
      add(svg, "text", {x: x(value), y: ratio_foot + 16, "text-anchor": "middle"}, String(value))
    }
    const upwards = drawn.logarithmic ? decades(drawn.low, drawn.high) : steps(drawn.low, drawn.high, 5).map((v) => [v, String(v)])
    const over = drawn.ticks.map((v) => [v, drawn.span < 10 ? String(v) : power_of_ten(Math.round(Math.log10(v)))])
    for (const [ticks, to] of [[upwards, y], [over, r]]) {
      for (const [value, name] of ticks) {
        add(grid, "path", {d: `M${LEFT} ${to(value)}H${right}`})
        add(svg, "text", {x: LEFT - 6, y: to(value) + 4, "text-anchor": "end"}, name)
      }
    }
    add(axis, "path", {d: `M${LEFT} ${top}V${foot}H${right}M${LEFT} ${ratio_top}V${ratio_foot}H${right}`})
    const label = (text, middle) => add(
      svg, "text", {x: 0, y: 0, "font-size": 12, "text-anchor": "middle", transform: `translate(11 ${middle}) rotate(-90)`}, text,
    )
    label(drawn.y, (top + foot) / 2)
    label(drawn.ratio_label, (ratio_top + ratio_foot) / 2)
    add(svg, "text", {x: (LEFT + right) / 2, y: ratio_foot + 34, "font-size": 12, "text-anchor": "middle"}, drawn.x)
  }

  classes(place) {
    const {drawn, x, y, foot} = this, centres = drawn.edges.slice(1).map((edge, i) => (edge + drawn.edges[i]) / 2)
    const low = ({value, error}) => value.map((v, i) => v - error[i]), high = ({value, error}) => value.map((v, i) => v + error[i])
    drawn.classes.forEach((c, i) => {
      this.area(place, "path", {d: staircase(drawn.edges, c.value, x, y, foot)}, c, i)
      const filled = centres.map((_, k) => k).filter((k) => c.error[k] > 0), of = (list) => filled.map((k) => list[k])
      add(place, "path", {d: bars(of(centres), of(low(c)), of(high(c)), x, y), stroke: c.colour, "stroke-width": 1.2})
    })
    for (const c of drawn.second) {
      if (!drawn.measured) {
        const dashed = {stroke: c.colour, "stroke-width": 2.2, "stroke-dasharray": "6 4"}
        add(place, "path", {d: staircase(drawn.edges, c.value, x, y, foot), ...dashed})
        continue
      }
      const filled = centres.map((_, k) => k).filter((k) => c.value[k] > 0), of = (list) => filled.map((k) => list[k])
      add(place, "path", {d: bars(of(centres), of(low(c)), of(high(c)), x, y), stroke: c.colour, "stroke-width": 1.6})
      const points = {stroke: c.colour, fill: c.colour, class: "measured"}
      add(place, "path", {d: signs(of(centres), of(c.value), x, y, SIGNS[c.marker]), ...points})
    }
  }

  ratio(place) {
    const {drawn, x, r} = this
    add(place, "path", {d: `M${LEFT} ${r(1)}H${this.right}`, stroke: drawn.ink.neutral, "stroke-dasharray": "2 3"})
    for (const c of drawn.ratio) {
      add(place, "path", {d: bars(c.centre, c.low, c.high, x, r), stroke: c.colour})
      add(place, "path", {d: signs(c.centre, c.ratio, x, r, DOT), fill: c.colour})
    }
  }

  // The brushed range, the open jet and the threshold; what is being dragged lies where the hand is.
  mark() {
    if (!this.drawn || !this.over) return
    const {span, marked, threshold} = {...this.model.marks, ...this.drag?.marks}
    const {top, foot, x} = this, inside = (value) => Math.min(Math.max(x(value), LEFT), this.right)
    const upright = (value, look) => {
      if (value >= this.ends[0] && value <= this.ends[1]) add(this.over, "path", {d: `M${x(value)} ${top}V${foot}`, ...look})
    }
    this.over.replaceChildren()
    if (span) {
      const [from, to] = span.map(inside), ink = this.drawn.ink.neutral
      const box = {x: from, y: top, width: Math.max(to - from, 0), height: foot - top}
      add(this.over, "rect", {...box, fill: ink, "fill-opacity": 0.18, stroke: ink, class: "span"})
    }
    if (marked != null) upright(marked, {stroke: this.drawn.ink.neutral, "stroke-width": 2, class: "marked"})
    if (threshold != null) {
      upright(threshold, {stroke: this.drawn.ink.threshold, "stroke-width": 3, "stroke-dasharray": "6 4", class: "threshold"})
    }
  }

  at(event) {
    const box = this.svg.getBoundingClientRect(), [low, high] = this.ends ?? [0, 1]
    const share = (event.clientX - box.left - LEFT) / (this.right - LEFT)
    return {value: low + Math.min(Math.max(share, 0), 1) * (high - low), y: event.clientY - box.top, share}
  }

  pointerdown(event) {
    if (!this.drawn || event.button !== 0) return
    clearTimeout(this.tapping)
    const {value, y, share} = this.at(event), {threshold} = this.model.marks
    if (y < this.top || y > this.ratio_foot || share < -0.02 || share > 1.02) return
    const near = threshold != null && Math.abs(this.x(threshold) - this.x(value)) < 7
    this.drag = {kind: near ? "threshold" : "brush", from: value, x: event.clientX, marks: {}}
    this.tip.textContent = ""
    this.svg.setPointerCapture(event.pointerId)
  }

  pointermove(event) {
    if (!this.drawn) return
    const drag = this.drag, {value} = this.at(event)
    if (!drag || drag.kind === "over") return this.tell(event)
    // The button was let go where nobody heard of it: the picture was moved below the hand, or the window left.
    if (!(event.buttons & 1)) return this.release(drag)
    if (!drag.begun && Math.abs(event.clientX - drag.x) < 3) return
    drag.begun = true
    drag.marks = drag.kind === "threshold" ? {threshold: value} : {span: [Math.min(drag.from, value), Math.max(drag.from, value)]}
    this.mark()
    if (!drag.waits) {
      drag.waits = true
      requestAnimationFrame(() => { drag.waits = false; if (this.drag === drag) this.send(drag, false) })
    }
  }

  pointerup(event) {
    const drag = this.drag
    if (!drag || drag.kind === "over") return
    if (drag.begun) return this.release(drag)
    this.drag = null
    const at = this.at(event).value, tap = () => this.model.send_msg({kind: "tap", at})
    // A second click may follow, which takes off what is brushed.
    if (this.model.marks.span) this.tapping = setTimeout(tap, 250)
    else tap()
  }

  release(drag) {
    if (drag.begun) this.send(drag, true)
    drag.kind = "over"
    // Until Python has answered, the picture is what the hand has left.
    setTimeout(() => { if (this.drag === drag) { this.drag = null; this.mark() } }, 400)
  }

  pointercancel() {
    this.drag = null
    this.mark()
  }

  pointerleave() {
    this.tip.textContent = ""
  }

  dblclick() {
    this.drag = null
    clearTimeout(this.tapping)
    this.model.send_msg({kind: "undo"})
  }

  send({kind, marks}, final) {
    if (kind === "threshold") this.model.send_msg({kind, at: marks.threshold, final})
    else if (kind === "brush") this.model.send_msg({kind, low: marks.span[0], high: marks.span[1], final})
  }

  // What the bin under the pointer holds.
  tell(event) {
    const {value, y, share} = this.at(event), {edges, classes, second, unit} = this.drawn
    if (y < this.top || y > this.ratio_foot || share < 0 || share >= 1) { this.tip.textContent = ""; return }
    const bin = Math.min(edges.findIndex((edge) => edge > value) - 1, edges.length - 2)
    if (bin < 0) return
    const told = (of, sample) => of.map((c) => `${c.name}${sample} ${written(c.value[bin])} ± ${written(c.error[bin])}`)
    const edge = (at) => String(Number(edges[at].toPrecision(9)))
    const range = `${edge(bin)} to ${edge(bin + 1)}${unit ? ` ${unit}` : ""}`
    this.tip.textContent = [range, ...told(classes, ""), ...told(second, " (2nd)")].join("\n")
    const right = this.x(value) < this.width / 2
    this.tip.style.left = right ? `${this.x(value) + 12}px` : ""
    this.tip.style.right = right ? "" : `${this.width - this.x(value) + 12}px`
  }
}

export const render = showing(Plot, SHEET)
