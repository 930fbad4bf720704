// What every picture of ours is made of: an `<svg>` as wide as its place, drawn anew when its numbers or its width change.
const SPACE = "http://www.w3.org/2000/svg"
const STYLE = `
  .plot { position: relative; width: 100%; color: var(--mui-palette-text-primary, inherit) }
  svg { display: block; width: 100%; font: 11px Roboto, Helvetica, Arial, sans-serif; fill: currentColor }`

let pen = null

function width_of(text, font = "11px Roboto, Helvetica, Arial, sans-serif") {
  pen ??= document.createElement("canvas").getContext("2d")
  pen.font = font
  return pen.measureText(text).width
}

function add(parent, name, attributes = {}, text = "") {
  const element = document.createElementNS(SPACE, name)
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value)
  element.textContent = text
  parent.append(element)
  return element
}

function steps(low, high, most) {
  const rough = (high - low) / Math.max(most, 1), power = 10 ** Math.floor(Math.log10(rough))
  const step = power * [1, 2, 5, 10].find((x) => x * power >= rough)
  const found = []
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high * (1 + 1e-9); k++) found.push(Number((k * step).toPrecision(10)))
  return found
}

// What a scale makes of a value; below a logarithmic axis is its foot.
function scale(low, high, from, to, log) {
  const [a, b] = log ? [Math.log(low), Math.log(high)] : [low, high]
  return (value) => from + ((log ? Math.log(Math.max(value, low / 10)) : value) - a) / (b - a) * (to - from)
}

// Those who inherit return in `parts` what is drawn of `drawn`, how high it is, and how it is read out; `room` is kept for what
// is still to come.
class Picture {
  constructor(model) {
    this.model = model
    this.root = document.createElement("div")
    this.root.className = "plot"
    this.svg = add(this.root, "svg", {role: "img"})
    this.made()
    this.read()
    new ResizeObserver(() => this.root.clientWidth !== this.width && this.draw()).observe(this.root)
    model.on("text", () => this.read())
  }

  made() {}

  room() {
    return 0
  }

  read() {
    const told = JSON.parse(this.model.text)
    this.drawn = Object.keys(told).length ? told : null
    this.draw()
  }

  draw() {
    this.width = this.root.clientWidth
    if (!this.drawn) {
      this.svg.replaceChildren()
      this.svg.setAttribute("height", this.room())
      this.svg.setAttribute("aria-label", "Nothing to draw")
    }
    if (!this.drawn || !this.width) return
    const [shown, height, words] = this.parts(this.drawn)
    this.svg.replaceChildren(shown)
    this.svg.setAttribute("height", height)
    this.svg.setAttribute("aria-label", words)
  }
}

const showing = (Kind, sheet = "") => ({model}) => {
  const picture = new Kind(model), whole = document.createElement("div"), style = document.createElement("style")
  style.textContent = STYLE + sheet
  whole.style.width = "100%"
  whole.append(style, picture.root)
  return whole
}
