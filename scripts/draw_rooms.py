"""Draw docs/rooms.svg, the rooms of the package and what they import, and list their files in docs/modules.md.

    python scripts/draw_rooms.py

Layers are those of the import contract in pyproject.toml, imports those of the code. A line goes from a room down to
each room that it imports, the thicker the more of its modules do. The records that every room knows stand at the bottom
without lines.
"""

from __future__ import annotations

import ast
import tomllib
from collections import Counter
from html import escape
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "napari_s3net"
WIDTH, ROW, BOX, HEIGHT = 980, 84, 130, 38
RECORDS = (
    ("result", "image", "image_kind", "geometry", "progress"),
    ("provenance", "preset_files", "settings", "setting_fields", "segments", "errors"),
)
STYLE = (
    "text{font:14px sans-serif;fill:#1c2733;text-anchor:middle}.small{font-size:11px;fill:#5a6b7b}"
    "rect{fill:#eef4f9;stroke:#4f7ca3;rx:6}path{fill:none;stroke:#4f7ca3;stroke-opacity:.45}"
)


def read_layers() -> list[list[str]]:
    """The rooms of each layer, the topmost first, and the records in rows of their own."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    layers = next(c for c in contracts["contracts"] if c["type"] == "layers")["layers"]
    rows = [[room.strip() for room in layer.replace(":", "|").split("|")] for layer in layers]
    rooms = [[room for room in row if not is_record(room)] for row in rows]
    return [*filter(None, rooms), *map(list, RECORDS)]


def is_record(room: str) -> bool:
    """Whether it is one of the records and words that every room knows."""
    return any(room in row for row in RECORDS)


def count_imports() -> Counter[tuple[str, str]]:
    """How many modules of one room import another room."""
    graph = grimp.build_graph(PACKAGE)
    pairs = {
        (module, room_of(module), room_of(imported))
        for module in graph.modules
        for imported in graph.find_modules_directly_imported_by(module)
    }
    return Counter((a, b) for _, a, b in pairs if a and b and a != b)


def room_of(module: str) -> str:
    """Name of the room that a module lies in; empty for the package itself."""
    return f"{module}..".split(".")[1]


def count_modules(room: str) -> int:
    """Python files of a room."""
    folder = ROOT / PACKAGE / room
    return len(list(folder.rglob("*.py"))) if folder.is_dir() else 1


def draw() -> str:
    """The whole picture."""
    layers, imports = read_layers(), count_imports()
    places = {
        room: ((k + 1) * WIDTH / (len(layer) + 1), 30 + i * ROW)
        for i, layer in enumerate(layers)
        for k, room in enumerate(layer)
    }
    lines = [
        f'<path d="M{places[a][0]:.0f} {places[a][1] + HEIGHT} C{places[a][0]:.0f} {places[a][1] + HEIGHT + 30} '
        f'{places[b][0]:.0f} {places[b][1] - 30} {places[b][0]:.0f} {places[b][1]}" '
        f'stroke-width="{min(6.0, 0.6 + 0.25 * n):.2f}"/>'
        for (a, b), n in sorted(imports.items())
        if a in places and b in places and not is_record(b)
    ]
    boxes = [
        f'<rect x="{x - BOX / 2:.0f}" y="{y}" width="{BOX}" height="{HEIGHT}"/>'
        f'<text x="{x:.0f}" y="{y + 17}">{escape(room)}</text>'
        f'<text class="small" x="{x:.0f}" y="{y + 31}">{files(count_modules(room))}</text>'
        for room, (x, y) in places.items()
    ]
    height = 30 + len(layers) * ROW
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
    title = "<title>The rooms of napari-s3net and what they import</title>"
    return "\n".join([head, title, f"<style>{STYLE}</style>", *lines, *boxes, "</svg>", ""])


def list_modules() -> str:
    """Every file of the package with the first line of its docstring, room by room."""
    lines = ["# Files of the package", "", "Made by `scripts/draw_rooms.py`; not to be edited by hand.", ""]
    folder = None
    for path in sorted((ROOT / PACKAGE).rglob("*.py"), key=lambda path: (path.parent.parts, path.name)):
        words = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        if path.parent != folder:
            folder = path.parent
            lines += ["", f"## {folder.relative_to(ROOT).as_posix()}/", "", "| file | what for |", "|---|---|"]
        lines.append(f"| `{path.name}` | {words.partition(chr(10))[0].replace('|', '/')} |")
    return "\n".join([*lines, ""])


def files(n: int) -> str:
    return "1 file" if n == 1 else f"{n} files"


if __name__ == "__main__":
    (ROOT / "docs" / "rooms.svg").write_text(draw(), encoding="utf-8")
    (ROOT / "docs" / "modules.md").write_text(list_modules(), encoding="utf-8")
