// Draws the lines of a ledger from top to bottom: each begins where the one above has ended, the last from zero to the score.
const HEIGHT = 190, TOP = 4, FOOT = 46

class Waterfall extends Picture {
  room() {
    return HEIGHT
  }

  parts(drawn) {
    const names = drawn.lines, left = Math.max(...names.map((name) => width_of(name))) + 12, right = Math.max(this.width - width_of(drawn.widest) - 14, left + 20)
    const foot = HEIGHT - FOOT, step = (foot - TOP) / names.length, thick = 0.62 * step
    const x = scale(drawn.low, drawn.high, left, right, false), svg = document.createDocumentFragment()
    const middle = Object.fromEntries(names.map((name, i) => [name, TOP + (i + 0.5) * step]))
    const grid = add(svg, "g", {stroke: "currentColor", "stroke-opacity": 0.13})
    const axis = add(svg, "g", {stroke: "currentColor", "stroke-opacity": 0.6, fill: "none"})
    for (const value of steps(drawn.low, drawn.high, Math.max(2, Math.min(7, (right - left) / 46)))) {
      add(grid, "path", {d: `M${x(value)} ${TOP}V${foot}`})
      add(axis, "path", {d: `M${x(value)} ${foot}v4`})
      add(svg, "text", {x: x(value), y: foot + 16, "text-anchor": "middle"}, String(value))
    }
    add(axis, "path", {d: `M${left} ${TOP}V${foot}H${this.width - 4}`})
    add(axis, "path", {d: `M${x(0)} ${TOP}V${foot}`, "stroke-dasharray": "2 3"})
    for (const name of names) add(svg, "text", {x: left - 6, y: middle[name] + 4, "text-anchor": "end"}, name)
    drawn.rows.forEach(({line, start, end, text, colour}, i) => {
      const [from, to] = [x(Math.min(start, end)), x(Math.max(start, end))], next = drawn.rows[i + 1]
      // A line too small to be seen as an area is still there.
      add(svg, "rect", {x: from, y: middle[line] - thick / 2, width: Math.max(to - from, 1), height: thick, fill: colour})
      if (next) add(axis, "path", {d: `M${x(end)} ${middle[line] - thick / 2}V${middle[next.line] + thick / 2}`})
      add(svg, "text", {x: to + 6, y: middle[line] + 4}, text)
    })
    add(svg, "text", {x: (left + right) / 2, y: HEIGHT - 8, "font-size": 12, "text-anchor": "middle"}, drawn.x)
    return [svg, HEIGHT, `Ledger: ${drawn.rows.map(({line, text}) => `${line} ${text}`).join(", ")}`]
  }
}

export const render = showing(Waterfall)
