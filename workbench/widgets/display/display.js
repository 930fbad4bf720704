// The event display in three dimensions. Reads a scene and its cuts from a model, tells it what was picked. No request, no eval.

import * as geometry from "./helix.js";
import { Picture } from "./picture.js";
import { openStandalone } from "./standalone.js";

/** Draws a model's scene into an element; returns what takes it away again. Works in Panel and in anywidget hosts. */
export function render({ model, el }) {
  const picture = new Picture(model, el);
  return () => picture.close();
}

openStandalone(render);

export { geometry };
export default { render };
