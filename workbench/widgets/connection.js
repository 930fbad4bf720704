// Says that the page has lost its server: what stands there stays, but nothing answers any more.
const LOOK = "position:fixed;left:50%;bottom:24px;transform:translateX(-50%);z-index:4000;display:flex;gap:16px;"
  + "align-items:center;max-width:min(640px,92vw);padding:12px 18px;border-radius:8px;background:#14273D;color:#fff;"
  + "font:14px system-ui,sans-serif;box-shadow:0 4px 18px rgba(0,0,0,.4)"
const BUTTON = "flex:none;padding:6px 14px;border:1px solid #fff;border-radius:6px;background:none;color:#fff;"
  + "font:inherit;cursor:pointer"
const PAUSE = 2000

export function render({model, view}) {
  const notice = document.createElement("div"), text = document.createElement("span")
  const button = document.createElement("button")
  notice.setAttribute("role", "alert")
  notice.className = "wb-connection"
  notice.style.cssText = LOOK
  button.style.cssText = BUTTON
  button.textContent = "Open this view again"
  button.onclick = () => location.reload()
  notice.append(text, button)

  let lost = false, looking = 0
  const say = (sentence, again = false) => {
    text.textContent = sentence
    button.style.display = again ? "" : "none"
    if (sentence) document.body.append(notice)
    else notice.remove()
  }
  // A script costs the server nothing; a page would begin a session.
  const answers = () => fetch("static/js/bokeh.min.js", {method: "HEAD", cache: "no-store"}).then((r) => r.status < 500, () => false)
  const look = async () => {
    if (await answers()) say(model.back, true)
    else looking = setTimeout(look, PAUSE)
  }
  const on_lost = () => {
    if (lost) return
    lost = true
    say(model.lost)
    looking = setTimeout(look, PAUSE)
  }
  const on_offline = () => { if (!lost) say(model.offline) }
  const on_online = () => { if (!lost) say("") }

  view.model.document.on_event("connection_lost", on_lost)
  addEventListener("offline", on_offline)
  addEventListener("online", on_online)
  model.on("remove", () => {
    clearTimeout(looking)
    removeEventListener("offline", on_offline)
    removeEventListener("online", on_online)
    notice.remove()
  })
  return document.createElement("span")
}
