// Lets a pane be laid out without the rest of the page, and figures be painted without asking for styles that nobody sets.
//
// A figure whose labels grow, or a control that changes its size, makes Bokeh lay out everything up to the root: a tenth of
// a second and more for each. A pane is as wide as its place whatever is in it, so that the way up may end there, as Panel
// lets it end at the components of its own kind.
//
// Bokeh lets style sheets set the colour and width of all that it paints, and asks for each of them whenever it paints: some
// thousand questions for a page of figures, a third of the time. On a page of its own there are no such style sheets.
const PANE = "wb-pane"

export function render({model, view}) {
  if (model.own_page) {
    // A Bokeh without this function has nothing to be spared.
    const properties = globalThis.Bokeh?.require?.("core/visuals/visual")?.VisualProperties?.prototype
    if (properties?._get_css_value) properties._get_css_value = () => ""
  }
  for (let kind = Object.getPrototypeOf(view); kind; kind = Object.getPrototypeOf(kind)) {
    const managed = Object.getOwnPropertyDescriptor(kind, "is_managed")
    // A Panel without this property, or another Cell of the notebook that was here before: nothing to do.
    if (!managed) continue
    if (kind.lays_panes_alone) break
    Object.defineProperty(kind, "lays_panes_alone", {value: true})
    Object.defineProperty(kind, "is_managed", {
      configurable: true,
      get() { return managed.get.call(this) && !this.model.css_classes.includes(PANE) },
    })
    break
  }
  return document.createElement("span")
}
