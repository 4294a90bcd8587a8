"""What a release says of itself agrees with the package: citation, icon, systems that are tested."""

import tomllib
from importlib.resources import files
from pathlib import Path
from xml.etree import ElementTree as ET

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(path: str):
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


def test_the_citation_is_that_of_this_version():
    citation = read("CITATION.cff")
    assert (citation["title"], citation["version"]) == (PROJECT["name"], PROJECT["version"])
    assert citation["license"] == PROJECT["license"]


def test_the_papers_are_those_that_the_code_names():
    code = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "napari_s3net").rglob("*.py"))
    for reference in read("CITATION.cff")["references"]:
        number = reference["url"].removeprefix("https://arxiv.org/abs/")
        assert f"arXiv {number}" in code, reference["title"]


def test_the_icon_of_the_manifest_is_a_square_picture():
    package, name = read("napari_s3net/napari.yaml")["icon"].split(":")
    picture = ET.fromstring(files(package).joinpath(name).read_text(encoding="utf-8"))  # noqa: S314 - our own
    _, _, width, height = picture.attrib["viewBox"].split()
    assert picture.tag.endswith("svg")
    assert width == height


def test_every_python_that_is_declared_is_tested_on_every_system():
    matrix = read(".github/workflows/test.yml")["jobs"]["test"]["strategy"]["matrix"]
    declared = [c.rpartition(" ")[2] for c in PROJECT["classifiers"] if "Python :: 3." in c]
    assert matrix["python"] == declared
    assert {os.partition("-")[0] for os in matrix["os"]} == {"ubuntu", "macos", "windows"}


def test_the_oldest_napari_that_is_declared_is_tested():
    oldest = read(".github/workflows/test.yml")["jobs"]["napari"]["with"]["napari"].removeprefix("napari==")
    assert f"napari[all]>={oldest.removesuffix('.0')},!=0.9.0" in PROJECT["optional-dependencies"]["all"]
