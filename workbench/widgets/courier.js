// Saves pictures and files, copies text: what only the browser can do.
const done = new Set()

function save(blob, name) {
  const link = document.createElement("a")
  link.href = URL.createObjectURL(blob)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 60000)
}

function found(id) {
  const search = (view) => {
    if (view.model.id === id || view.model.data?.key === id) return view
    for (const child of view.children?.() ?? []) {
      const hit = child?.model ? search(child) : null
      if (hit) return hit
    }
    return null
  }
  for (const root of Bokeh.index) {
    const hit = search(root)
    if (hit) return hit
  }
  throw new Error("The picture is not on the page.")
}

// Of the nearest element around the picture that is not seen through.
function ground(view) {
  for (let el = view.el; el; el = el.parentNode ?? el.host) {
    if (!(el instanceof Element)) continue
    const colour = getComputedStyle(el).backgroundColor
    if (colour && !/rgba\(.*, 0\)|transparent/.test(colour)) return colour
  }
  return "white"
}

// A canvas takes its number of points from the screen; for one export the screen is said to be finer.
// Legends draw their signs beforehand, so they draw them anew.
function at_scale(views, scale, draw) {
  const parts = views.flatMap((view) => [...(view.renderer_views?.values() ?? [])])
  const legends = () => parts.forEach((part) => part._paint_glyphs?.())
  const of_screen = Object.getOwnPropertyDescriptor(window, "devicePixelRatio")
  Object.defineProperty(window, "devicePixelRatio", {value: scale, configurable: true})
  try { legends(); return draw() } finally {
    Object.defineProperty(window, "devicePixelRatio", of_screen)
    legends()
  }
}

// Of one picture, Bokeh's or our own: what is painted, and the same as lines.
const is_ours = (view) => Boolean(view.model.data?.key)
const painted = (view, scale) => is_ours(view) ? canvas_of(drawn(view), scale) : view.export("png", true).canvas
function lines_of(view) {
  if (is_ours(view)) return drawn(view)
  const {width, height} = view.bbox
  return {width, height, text: view.export("svg", true).ctx.get_serialized_svg(true)}
}

async function png(views, {scale}) {
  const figures = views.filter((view) => !is_ours(view))
  const layers = await Promise.all(at_scale(figures, scale, () => views.map((view) => painted(view, scale))))
  const whole = document.createElement("canvas")
  whole.width = Math.max(...layers.map((layer) => layer.width))
  whole.height = layers.reduce((sum, layer) => sum + layer.height, 0)
  const ctx = whole.getContext("2d")
  ctx.fillStyle = ground(views[0])
  ctx.fillRect(0, 0, whole.width, whole.height)
  let top = 0
  for (const layer of layers) {
    ctx.drawImage(layer, 0, top)
    top += layer.height
  }
  return new Promise((resolve) => whole.toBlob(resolve, "image/png"))
}

function svg(views) {
  const parts = [], space = "http://www.w3.org/2000/svg"
  let top = 0, wide = 0
  for (const view of views) {
    const {width, height, text} = lines_of(view)
    parts.push(`<g transform="translate(0 ${top})">${text}</g>`)
    top += height
    wide = Math.max(wide, width)
  }
  const size = `width="${wide}" height="${top}"`
  const back = `<rect ${size} fill="${ground(views[0])}"/>`
  const text = `<svg xmlns="${space}" xmlns:xlink="http://www.w3.org/1999/xlink" ${size}>${back}${parts.join("")}</svg>`
  return new Blob([text], {type: "image/svg+xml"})
}

// A picture of our own as a text that stands alone: what style sheets say is written into it.
const LOOKS = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "font-size", "font-family"]
function drawn(view) {
  const shown = view.shadow_el.querySelector("svg"), {width, height} = shown.getBoundingClientRect()
  const copied = shown.cloneNode(true), parts = copied.querySelectorAll("path, rect, text, circle, line")
  shown.querySelectorAll("path, rect, text, circle, line").forEach((part, i) => {
    const looks = getComputedStyle(part)
    for (const look of LOOKS) parts[i].setAttribute(look, looks.getPropertyValue(look))
  })
  for (const [name, value] of [["width", width], ["height", height]]) copied.setAttribute(name, value)
  return {width, height, text: new XMLSerializer().serializeToString(copied)}
}

async function canvas_of({width, height, text}, scale) {
  const image = new Image(), canvas = document.createElement("canvas")
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`
  await image.decode()
  Object.assign(canvas, {width: width * scale, height: height * scale})
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height)
  return canvas
}

async function copy(text) {
  try { await navigator.clipboard.writeText(text) }
  catch {
    const area = document.createElement("textarea")
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand("copy")
    area.remove()
  }
}

async function fill(order) {
  if (order.kind === "copy") return copy(order.text ?? location.href)
  if (order.kind === "save") return save(new Blob([order.content], {type: order.type}), order.name)
  const views = order.figures.map(found)
  save(order.kind === "svg" ? svg(views) : await png(views, order), order.name)
}

export function render({model}) {
  const next = async () => {
    const order = model.order
    if (!order.id || done.has(order.id)) return
    done.add(order.id)
    try { await fill(order); model.send_msg({id: order.id, error: ""}) }
    catch (error) { model.send_msg({id: order.id, error: String(error.message ?? error)}) }
  }
  model.on("order", next)
  next()
  return document.createElement("span")
}
