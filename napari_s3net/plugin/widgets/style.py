"""The few rules that the dock adds to napari's own style: one primary button, quiet lines, visible focus."""

from __future__ import annotations

from napari.utils.theme import get_theme

_RULES = """
QLabel[caption="true"] {{ color: {caption}; padding: 0px 0px 0px 1px; }}
QLabel[caption="true"]:disabled {{ color: {faint}; }}
QLabel[heading="true"] {{ font-weight: bold; }}
QLabel#message {{ border-left: 3px solid {warning}; padding: 5px 6px; background-color: {foreground}; }}
QPushButton[primary="true"] {{ background-color: {current}; color: {on_current}; padding: 6px 4px; font-weight: bold; }}
QPushButton[primary="true"]:hover {{ background-color: {hover}; }}
QPushButton[primary="true"]:disabled {{ background-color: {foreground}; color: {caption}; font-weight: normal; }}
QPushButton:focus, QToolButton:focus, QComboBox:focus, QAbstractSpinBox:focus, QTableView:focus
    {{ border: 1px solid {focus}; }}
QCheckBox:focus {{ text-decoration: underline; }}
QCheckBox::indicator:focus {{ border: 1px solid {focus}; }}
QToolButton {{ background-color: {primary}; border-radius: 2px; padding: 4px 8px; }}
QToolButton:hover {{ background-color: {highlight}; }}
QToolButton::menu-indicator, QPushButton#menu::menu-indicator {{ image: none; width: 0px; }}
QPushButton#fold, QPushButton#fold:disabled {{ text-align: left; background: none; border: 0px; padding: 3px 0px; }}
QPushButton#fold:focus {{ text-decoration: underline; }}
QProgressBar {{ background-color: {primary}; border-radius: 3px; min-height: 7px; max-height: 7px; }}
QProgressBar::chunk {{ background-color: {current}; border-radius: 3px; }}
QTableView {{ background-color: {background}; border: 1px solid {foreground}; }}
QHeaderView::section {{ background-color: {foreground}; color: {caption}; padding: 3px 4px; border: 0px; }}
"""


def style_sheet(theme_name: str) -> str:
    """Make the rules for one of napari's themes.

    Parameters
    ----------
    theme_name : str
        As napari calls it, such as "dark".

    Returns
    -------
    str
        A Qt style sheet in the theme's colours.
    """
    theme = get_theme(theme_name)
    text, background, current = (theme.text.as_rgb_tuple()[:3], theme.background.as_rgb_tuple()[:3], theme.current)
    red, green, blue = current.as_rgb_tuple()[:3]
    names = ("background", "foreground", "primary", "highlight", "warning")
    return _RULES.format(
        caption=_rgb(_mix(text, background, 0.75)),
        faint=_rgb(_mix(text, background, 0.4)),
        focus=_rgb(_mix(text, background, 0.85)),
        hover=_rgb(_mix((red, green, blue), text, 0.85)),
        on_current="white" if 0.3 * red + 0.59 * green + 0.11 * blue < 150 else "black",
        current=current.as_rgb(),
        **{name: getattr(theme, name).as_rgb() for name in names},
    )


def _mix(one: tuple[int, ...], other: tuple[int, ...], share: float) -> tuple[int, ...]:
    return tuple(round(share * a + (1 - share) * b) for a, b in zip(one, other, strict=True))


def _rgb(colour: tuple[int, ...]) -> str:
    return f"rgb({', '.join(map(str, colour))})"
