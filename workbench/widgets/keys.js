// Sends a key of the page to the server, unless something that has the focus uses it itself.
const OWN = new Set(["INPUT", "TEXTAREA", "SELECT"])
const ROLES = new Set(["slider", "spinbutton", "combobox", "listbox", "option", "menu", "menuitem", "radio", "tab",
  "textbox", "dialog", "grid"])

function taken(event) {
  if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey) return true
  return event.composedPath().some((el) => el instanceof Element
    && (OWN.has(el.tagName) || el.isContentEditable || ROLES.has(el.getAttribute("role"))))
}

export function render({model}) {
  const pressed = (event) => {
    if (!model.known.includes(event.key) || taken(event)) return
    if (!event.key.startsWith("Arrow") || /Left|Right/.test(event.key)) event.preventDefault()
    model.send_msg({key: event.key})
  }
  document.addEventListener("keydown", pressed)
  model.on("remove", () => document.removeEventListener("keydown", pressed))
  return document.createElement("span")
}
