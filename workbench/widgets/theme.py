"""Colours, sizes and spaces of all pages, for a light and a dark room; nothing else decides them.

Every pair of text and ground in `PAIRS` reads at 4.5:1 or better, which a test computes.
"""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Palette:
    """Colours of one room, as #RRGGBB."""

    ground: str
    """Behind the panes."""
    pane: str
    """Of panes, drawers, dialogs and plots."""
    header: str
    on_header: str
    on_header_quiet: str
    text: str
    quiet: str
    """Of what is read second: axis numbers, captions, hints."""
    line: str
    """Frames and dividers."""
    accent: str
    on_accent: str
    error: str
    warning: str
    success: str
    info: str


LIGHT = Palette(
    ground="#F2F4F6",
    pane="#FFFFFF",
    header="#14273D",
    on_header="#FFFFFF",
    on_header_quiet="#B9C7D6",
    text="#17212B",
    quiet="#4F5D6B",
    line="#D5DBE1",
    accent="#0B5FA5",
    on_accent="#FFFFFF",
    error="#B3261E",
    warning="#8A5300",
    success="#1B6E3C",
    info="#0B5FA5",
)
DARK = Palette(
    ground="#0E1217",
    pane="#161C23",
    header="#0A1420",
    on_header="#E8EDF2",
    on_header_quiet="#9FB0C1",
    text="#E3E8ED",
    quiet="#A5B1BD",
    line="#2C3640",
    accent="#7AB8F0",
    on_accent="#0A1420",
    error="#FF8A80",
    warning="#F2B65A",
    success="#7CCB98",
    info="#7AB8F0",
)
ROOMS = {"light": LIGHT, "dark": DARK}

PAIRS = (
    *((text, ground) for text in ("text", "quiet", "accent", "error", "warning", "success") for ground in ("pane", "ground")),
    ("on_header", "header"),
    ("on_header_quiet", "header"),
    ("on_accent", "accent"),
    ("pane", "error"),
    ("pane", "success"),
)  # fmt: skip
"""Which colour is written on which."""

LETTERS = {
    "h6": {"font-size": "15px", "font-weight": "600"},
    "subtitle2": {"font-size": "14px", "font-weight": "600"},
    "body1": {"font-size": "14px"},
    "body2": {"font-size": "13px"},
    "caption": {"font-size": "12px", "color": "var(--mui-palette-text-secondary, inherit)"},
}
"""Size and weight of each kind of line."""

GAP = 4
"""Between panes, in screen units."""

PANE = {"padding": "6px 10px 8px", "min-width": "0"}
"""Inside a pane."""

HEADER = 48
"""Height of the header in screen units."""

SIDEBAR = 320
"""Width of the steps in screen units."""

FONT = "Roboto, Helvetica, Arial, sans-serif"
STILL = {
    "@media (prefers-reduced-motion: reduce)": {
        "animation": "none !important",
        "transition": "none !important",
    }
}
"""For who asked the system for less motion."""


def room(name: str) -> dict[str, Any]:
    """Returns the theme of Material UI for "light" or "dark"."""
    colours = ROOMS[name]
    ring = {"&.Mui-focusVisible": {"outline": f"2px solid {colours.accent}", "outlineOffset": "1px"}}
    flat = {"backgroundImage": "none", "border": f"1px solid {colours.line}"}
    moving = (
        "MuiPaper",
        "MuiBackdrop",
        "MuiLinearProgress",
        "MuiCircularProgress",
        "MuiCollapse",
        "MuiSwitch",
    )
    components: dict[str, Any] = {part: {"styleOverrides": {"root": STILL, "bar": STILL}} for part in moving}
    components |= {
        "MuiButtonBase": {"defaultProps": {"disableRipple": True}, "styleOverrides": {"root": {**ring, **STILL}}},
        "MuiAccordion": {"defaultProps": {"disableGutters": True, "elevation": 0}, "styleOverrides": {"root": flat}},
        "MuiAccordionSummary": {
            "styleOverrides": {"root": {"minHeight": 36, "padding": "0 10px", **ring}, "content": {"margin": "6px 0"}}
        },
        # The plus and minus of number fields have no name for who cannot see; the arrow keys do the same.
        "MuiInputAdornment": {
            "styleOverrides": {"root": {"& > .MuiIconButton-root:not([aria-label])": {"display": "none"}}}
        },
        "MuiDialog": {"styleOverrides": {"paper": flat}},
        "MuiPopover": {"styleOverrides": {"paper": flat}},
        "MuiTab": {"styleOverrides": {"root": {"textTransform": "none", "minHeight": 36, **ring}}},
        "MuiTabs": {"styleOverrides": {"root": {"minHeight": 36}}},
        "MuiMenuItem": {"styleOverrides": {"root": {"fontSize": 14, "minHeight": 32, "paddingTop": 4, "paddingBottom": 4}}},
    }  # fmt: skip
    return {
        "palette": {
            "primary": {"main": colours.accent, "contrastText": colours.on_accent},
            # What pmui gives to a close button; its own grey cannot be read in a dark room.
            "default": {
                "main": colours.quiet,
                "dark": colours.quiet,
                "light": colours.line,
                "contrastText": colours.pane,
            },
            "error": {"main": colours.error},
            "warning": {"main": colours.warning},
            "success": {"main": colours.success},
            "info": {"main": colours.info},
            "background": {"default": colours.ground, "paper": colours.pane},
            "text": {"primary": colours.text, "secondary": colours.quiet},
            "divider": colours.line,
        },
        "shape": {"borderRadius": 4},
        "components": components,
    }


def theme() -> dict[str, Any]:
    """Returns what a pmui.Page, and all below it, is told about looks."""
    return {name: room(name) for name in ROOMS}


def surroundings() -> dict[str, Any]:
    """Returns the styles of the page itself: a flat, low header, and a ground that panes stand out from."""

    def at(name: str) -> dict[str, Any]:
        colours = ROOMS[name]
        return {
            f"&.mui-{name} .main": {"backgroundColor": colours.ground},
            f"&.mui-{name} .header": {
                "backgroundColor": colours.header,
                "backgroundImage": "none",
                "color": colours.on_header,
                "boxShadow": f"inset 0 -1px {colours.line if name == 'dark' else colours.header}",
            },
            f"&.mui-{name} .header a:focus-visible": {"outline": f"2px solid {colours.on_header}"},
        }

    return {
        # By these two values Page is told not to paint what stands in the header in colours of its own.
        ".MuiAppBar-root": {"bgcolor": "primary.contrastText", "color": "primary.main"},
        **at("light"),
        **at("dark"),
        "& .MuiToolbar-root": {"minHeight": f"{HEADER}px !important"},
        "& .header .MuiToolbar-root > .MuiBox-root": {"minWidth": 0},
        "& .main-content": {"paddingTop": "6px", "paddingLeft": "var(--wb-rail-width, 0px)"},
        "& .title": {"fontSize": 17, "fontWeight": 600, "letterSpacing": "0.01em"},
    }


def contrast(text: str, ground: str) -> float:
    """Returns the contrast of two colours by the formula of WCAG 2, from 1 to 21."""
    brighter, darker = sorted((_luminance(text), _luminance(ground)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def colours(name: str) -> dict[str, str]:
    """Returns the colours of "light" or "dark" by their names in `Palette`."""
    return asdict(ROOMS[name])


def _luminance(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
