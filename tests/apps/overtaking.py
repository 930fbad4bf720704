"""Run by a server of the tests before it serves: writes down every change that our code sends past Panel.

Panel writes what changes within `pn.io.hold`, or through its own parameters, in one order. What code changes in a Bokeh model
itself, outside of a hold, is sent by Bokeh, and comes before what Panel still holds back while the line is busy: now and then
a browser hears of a model before it has it.
"""

import os
import traceback
from pathlib import Path

from bokeh.server.session import ServerSession

TOLD = Path(os.environ["WORKBENCH_TEST_OVERTAKING"])
ROOT = Path(__file__).parents[2]
OURS = tuple(str(ROOT / room) for room in ("workbench", "tests"))
send = ServerSession._document_patched


def told(session, event):
    """Sends a change as Bokeh does, and writes down who made it if it was one of us."""
    if event.setter is None and session.connection_count:
        frames = [
            f"{Path(frame.filename).name}:{frame.lineno} {frame.name}"
            for frame in traceback.extract_stack()[:-1]
            if frame.filename.startswith(OURS)
        ]
        if frames:
            with TOLD.open("a", encoding="utf-8") as file:
                file.write(f"{type(event).__name__} {getattr(event, 'attr', '')}: {' > '.join(frames)}\n")
    send(session, event)


ServerSession._document_patched = told
