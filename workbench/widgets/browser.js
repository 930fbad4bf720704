// What only the browser knows or can do for the frame: the theme it had, the language, a way past the header.
const COOKIE = "workbench-theme"

function skip_link() {
  if (document.getElementById("wb-skip")) return
  const link = document.createElement("a")
  link.id = "wb-skip"
  link.href = "#main"
  link.textContent = "Skip to the content"
  link.style.cssText = "position:fixed;left:8px;top:-60px;z-index:3000;padding:8px 12px;background:#fff;color:#14273D"
  link.onfocus = () => { link.style.top = "4px" }
  link.onblur = () => { link.style.top = "-60px" }
  link.onclick = (event) => {
    event.preventDefault()
    const main = Bokeh.index.roots.map((root) => root.shadow_el?.querySelector("main")).find((el) => el)
    if (main) { main.tabIndex = -1; main.focus() }
  }
  document.body.prepend(link)
}

function page_of(view) {
  while (view && view.model.class_name !== "Page") view = view.parent
  return view
}

function remember(page) {
  const dark = page.model.data.dark_theme
  document.documentElement.style.colorScheme = dark ? "dark" : "light"
  document.cookie = `${COOKIE}=${dark ? "dark" : "light"}; path=/; max-age=31536000; samesite=strict`
}

// Whoever comes for the first time gets what the system prefers, once all is drawn: before that it would be lost.
function prefer(page) {
  if (Bokeh.documents.some((doc) => !doc.is_idle)) return setTimeout(() => prefer(page), 50)
  page.model.data.dark_theme = true
}

export function render({model, view}) {
  const root = document.documentElement, page = page_of(view)
  const teach = () => root.style.setProperty("--wb-teaching", model.teaching ? "block" : "none")
  model.on("teaching", teach)
  teach()
  if (page) {
    // With the drawer closed its steps stand at the edge, and the panes make room for them.
    const edge = () => {
      const closed = model.rail && !page.model.data.sidebar_open
      root.style.setProperty("--wb-rail", closed ? "flex" : "none")
      root.style.setProperty("--wb-rail-width", closed ? "64px" : "0px")
    }
    page.model_proxy.on("sidebar_open", edge)
    model.on("rail", edge)
    edge()
    const asked = new URLSearchParams(location.search).has("theme") || document.cookie.includes(`${COOKIE}=`)
    if (!asked && matchMedia("(prefers-color-scheme: dark)").matches) prefer(page)
    page.model_proxy.on("dark_theme", () => remember(page))
    if (asked) remember(page)
    document.body.classList.add("wb-drawn")
    skip_link()
  }
  return document.createElement("span")
}
