"""What every browser test of the pages shares: a served page, a browser without any other host, and patience.

pytestmark = [pytest.mark.browser, needs_browser]
address = served("apps/jets.py")                   # a fixture; the page's own address, "http://127.0.0.1:…/jets"

def test_something(address, browser):
    with opened(browser, address) as page:          # or the fixture `page = opened_at("address")`
        click_until(page, page.get_by_role("button", name="Train"), page.get_by_text("Epoch"))
        assert_quiet(page)
"""

import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import pytest

ROOT = Path(__file__).parents[2]
CHROMIUM = Path("/usr/bin/chromium")
ARGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
HARMLESS = "Cannot read properties of undefined (reading 'rowManager')"
"""Panel's table puts its scroll bar back one frame later and does not look whether it is still there; nothing follows from it."""

PATIENCE = 180_000
"""Milliseconds that a step may take on a machine that does other things too."""

SIZE = {"width": 1400, "height": 1000}
OWN = re.compile(r"^(https?|wss?)://(127\.0\.0\.1|localhost)[:/]|^(data|blob|about|devtools):")
needs_browser = pytest.mark.skipif(
    not CHROMIUM.exists() and os.environ.get("WORKBENCH_REQUIRE_BROWSER") != "1",
    reason="there is no chromium at /usr/bin/chromium to open the page with",
)
BUNDLE = ROOT / "workbench" / "data" / "bundle"
needs_tagger = pytest.mark.skipif(
    not (BUNDLE / "tagger.safetensors").exists(), reason="the bundled tagger has not been made (make bundle)"
)


def free_port() -> int:
    """Returns a port of this machine that nobody listens on."""
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Server:
    """`panel serve` of some pages; `address` is that of the first one."""

    def __init__(
        self, *pages: str | Path, env: Mapping[str, str] | None = None, options: Sequence[str] = ()
    ) -> None:
        self.pages, self.env, self.options = pages, dict(env or {}), tuple(options)
        self.port = free_port()
        self.process: subprocess.Popen | None = None

    @property
    def root(self) -> str:
        """The server's own address, without a page."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def address(self) -> str:
        """The address of the first page."""
        return f"{self.root}/{Path(self.pages[0]).stem}"

    def start(self) -> None:
        """Starts the server and waits until it answers."""
        command = [sys.executable, "-m", "panel", "serve", *map(str, self.pages), "--address", "127.0.0.1"]
        # A browser that needs more than 15 s to read the scripts, as a first one on a busy machine does, would find
        # its session discarded; the one made in its place takes its style sheets from a host on the network.
        command += ["--unused-session-lifetime", "600000", "--port", str(self.port), *self.options]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**os.environ, **self.env},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        ends = time.monotonic() + 180
        while time.monotonic() < ends and self.process.poll() is None:
            try:
                with urlopen(f"{self.root}/favicon.ico", timeout=5):
                    return
            except (URLError, OSError):
                time.sleep(0.1)
        pytest.fail(f"the server of {', '.join(map(str, self.pages))} does not answer")

    def kill(self) -> None:
        """Ends the server and everything it started at once, as a power cut would."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)

    def stop(self) -> None:
        """Ends the server as Ctrl-C would, and what it has started."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.kill()


@contextmanager
def serving(
    *pages: str | Path,
    env: Mapping[str, str] | None = None,
    options: Sequence[str] = (),
    strict: bool = True,
) -> Iterator[Server]:
    """Serves app files within the block; if `strict`, its end fails where a change could overtake others (overtaking.py)."""
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "overtaking.txt"
        if strict:
            options = (*options, "--setup", str(Path(__file__).with_name("overtaking.py")))
        server = Server(*pages, env={"WORKBENCH_TEST_OVERTAKING": str(told), **(env or {})}, options=options)
        server.start()
        try:
            yield server
        finally:
            server.stop()
        assert not told.exists(), told.read_text("utf-8")


def served(
    *pages: str | Path, env: Mapping[str, str] | None = None, options: Sequence[str] = ()
) -> Callable[..., Any]:
    """Makes a fixture of a test file: the address of the first of these pages, served for the whole file."""

    @pytest.fixture(scope="module")
    def address() -> Iterator[str]:
        with serving(*pages, env=env, options=options) as server:
            yield server.address

    return address


@contextmanager
def chromium() -> Iterator[Any]:
    """A browser within the block."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=ARGS)
        try:
            yield browser
        finally:
            browser.close()


def watched(context: Any) -> Any:
    """Returns a new page: other hosts are refused and listed in `strangers`, errors with stacks in `failures`."""
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.strangers, page.failures = [], []

    def refuse(route: Any) -> None:
        page.strangers.append(route.request.url)
        route.abort()

    page.route(lambda url: not OWN.match(url), refuse)
    page.on("pageerror", lambda error: None if HARMLESS in str(error) else page.failures.append(_told(error)))
    return page


def _told(error: Any) -> str:
    return getattr(error, "stack", "") or str(error)


@contextmanager
def opened(browser: Any, address: str, *, dark: bool = False, size: dict[str, int] = SIZE) -> Iterator[Any]:
    """Opens a page in a context of its own (a user of its own: cookies, storage) within the block."""
    context = browser.new_context(viewport=size, color_scheme="dark" if dark else "light")
    try:
        page = watched(context)
        page.goto(address)
        idle(page)
        yield page
    finally:
        context.close()


def opened_at(address: str = "address", browser: str = "browser") -> Callable[..., Any]:
    """Makes a fixture of a test file: the page at what the fixture `address` gives."""

    @pytest.fixture
    def page(request: Any) -> Iterator[Any]:
        with opened(request.getfixturevalue(browser), request.getfixturevalue(address)) as page:
            yield page

    return page


def idle(page: Any) -> None:
    """Waits until Bokeh has drawn all that it knows of."""
    page.wait_for_function("window.Bokeh?.documents?.length > 0 && window.Bokeh.documents[0].is_idle")


def click_until(page: Any, button: Any, appears: Any) -> None:
    """Clicks, again if need be: the first click within a second of a render can be lost."""
    from playwright.sync_api import Error

    for _ in range(10):
        # It may be gone or covered between the look and the click: what counts is what appears.
        with suppress(Error):
            button.or_(appears).first.wait_for(timeout=8_000)
            if button.is_visible():
                button.click(timeout=3_000)
        with suppress(Error):
            appears.wait_for(timeout=6_000)
            return
    appears.wait_for()


def assert_quiet(page: Any) -> None:
    """The page asked no other host for anything and no script of it failed."""
    assert not page.strangers, "\n".join(page.strangers)
    assert not page.failures, "\n".join(page.failures)
