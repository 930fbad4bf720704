// Tells the server when what it has sent is on the screen.
export function render({model}) {
  model.on("asked", () => requestAnimationFrame(() => setTimeout(() => { model.drawn = model.asked })))
  return document.createElement("span")
}
