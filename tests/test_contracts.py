"""What importing may not do."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import napari_s3net

ROOT = Path(napari_s3net.__file__).parent
CORE = sorted(
    ".".join(("napari_s3net", *p.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__")
    for p in ROOT.rglob("*.py")
    if p.relative_to(ROOT).parts[0] not in ("plugin", "__main__.py")
)
BLOCK = """
import sys
class Block:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {blocked!r}:
            raise ImportError("blocked: " + name)
sys.meta_path.insert(0, Block())
"""


def run(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_core_imports_with_napari_and_qt_blocked():
    names = {"napari", "qtpy", "magicgui", "superqt", "PyQt5", "PyQt6", "PySide6", "vispy"}
    imports = "\n".join(f"import {module}" for module in CORE)
    contracts = tomllib.loads((ROOT.parent / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]
    rooms = {room.strip() for layer in contracts["contracts"][0]["layers"] for room in layer.split("|")} - {"plugin"}
    assert {module.split(".")[1] for module in CORE if "." in module} == rooms
    run(BLOCK.format(blocked=names) + imports)


def test_the_package_loads_neither_torch_nor_qt_nor_simpleitk():
    loaded = run("import sys, napari_s3net; napari_s3net.presets; print(*sys.modules)").split()
    assert not {"torch", "qtpy", "napari", "SimpleITK", "skimage", "scipy"} & set(loaded)


def test_every_public_name_exists():
    for name in napari_s3net.__all__:
        assert getattr(napari_s3net, name) is not None
    assert set(napari_s3net.__all__) <= set(dir(napari_s3net))


def test_segment_is_the_function_even_after_its_module_was_imported():
    run("import napari_s3net.segmentation; from napari_s3net import segment; assert segment.__name__ == 'segment'")


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="nothing_here"):
        napari_s3net.nothing_here  # noqa: B018


def test_the_package_brings_few_modules_besides_numpy():
    mine = run("import sys, numpy; n = set(sys.modules); import napari_s3net; print(*(set(sys.modules) - n))").split()
    assert len(mine) < 60, mine
