// Tells the server when what it has sent is on the screen.
export function render({model}) {
  const answer = () => requestAnimationFrame(() => setTimeout(() => { model.drawn = model.asked }))
  model.on("asked", answer)
  // What was asked before this was on the page.
  if (model.asked !== model.drawn) answer()
  return document.createElement("span")
}
