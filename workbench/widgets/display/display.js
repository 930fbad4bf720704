// The event display in three dimensions. Reads a scene and its cuts from a model, tells it what was picked. No request, no eval.

import * as geometry from "./helix.js";
import { Picture } from "./picture.js";
import { openStandalone } from "./standalone.js";

/** Panel's model as one of anywidget: it has its values as properties. */
function spoken(model) {
  return {
    get: (name) => model[name],
    set: (name, value) => { model[name] = value; },
    save_changes: () => {},
    on: (event, handler) => model.on(event, handler),
    off: (event, handler) => model.off(event, handler),
  };
}

/** Draws a model's scene into an element; returns what takes it away again. Works in Panel and in anywidget hosts. */
export function render({ model, el }) {
  const ofPanel = typeof model.get !== "function";
  const picture = new Picture(ofPanel ? spoken(model) : model, el);
  const close = () => picture.close();
  if (ofPanel) model.on("remove", close);
  return close;
}

openStandalone(render);

export { geometry };
export default { render };
