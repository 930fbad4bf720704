"""An event display as one file that opens in any browser, with the scene inside it and without any other host."""

import base64
import html
import json
from collections.abc import Mapping
from typing import Any

from ..errors import WorkbenchError
from ..views.detectors import detector
from ..views.event import Scene
from .display3d import ARRAYS, BUNDLE, VIEW, Display3D

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src blob: data:">
<title>{title}</title>
</head>
<body>
<script type="application/json" id="workbench-scene">{scene}</script>
<script type="module">{bundle}</script>
</body>
</html>
"""


def standalone(scene: Scene, options: Mapping[str, Any] | None = None) -> str:
    """Returns a page with the display, the scene and how it is shown.

    Args:
        scene: What is drawn.
        options: Cuts, colours and camera by the names in `Display3D`; those not given have its defaults.

    Raises:
        WorkbenchError: there is no such option.
    """
    given = dict(options or {})
    if unknown := sorted(set(given) - set(VIEW)):
        msg = f"The event display has no {', '.join(unknown)}; it has {', '.join(VIEW)}."
        raise WorkbenchError(msg)
    carried = {
        "header": scene.header,
        "shells": list(detector(scene.header["detector"]).layers),
        "arrays": {name: base64.b64encode(scene.arrays[name].tobytes()).decode() for name in ARRAYS},
        "options": {name: Display3D.param[name].default for name in VIEW} | given,
    }
    # A less-than sign in a script of data could end it: written as an escape it is the same text and ends nothing.
    text = json.dumps(carried, allow_nan=False).replace("<", "\\u003c")
    title = html.escape(str(scene.header.get("title") or "Event display"))
    return PAGE.format(title=title, scene=text, bundle=BUNDLE.read_text(encoding="utf-8"))
