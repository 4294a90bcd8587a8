import pytest
from napari.utils.theme import available_themes, get_theme

from napari_s3net.plugin.widgets.style import style_sheet


def contrast(one, other):
    """Of two colours, by WCAG 2."""

    def luminance(colour):
        parts = [c / 255 for c in colour[:3]]
        r, g, b = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
        return 0.2126 * r + 0.7152 * g + 0.0722 * b

    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def rule(sheet, selector, name):
    """A colour of a rule, as numbers."""
    body = sheet.split(selector + " {", 1)[1].split("}", 1)[0]
    value = next(part.split(":")[1] for part in body.split(";") if part.strip().startswith(name + ":"))
    return tuple(int(n) for n in value.split("(")[1].rstrip(") ").split(","))


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_text_can_be_read(theme):
    sheet = style_sheet(theme)
    background = get_theme(theme).background.as_rgb_tuple()
    assert contrast(rule(sheet, 'QLabel[caption="true"]', "color"), background) > 4.5
    primary = rule(sheet, 'QPushButton[primary="true"]', "background-color")
    on_primary = {"white": (255,) * 3, "black": (0,) * 3}
    word = sheet.split('QPushButton[primary="true"] {', 1)[1].split(" color: ", 1)[1].split(";", 1)[0]
    assert contrast(on_primary[word], primary) > 4.5


@pytest.mark.parametrize("theme", available_themes())
def test_focus_can_be_seen(theme):
    sheet = style_sheet(theme)
    focus = sheet.split("QTableView:focus", 1)[1].split("rgb(", 1)[1].split(")", 1)[0]
    background = get_theme(theme).background.as_rgb_tuple()
    assert contrast(tuple(map(int, focus.split(","))), background) > 3
