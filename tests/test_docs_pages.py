"""The pages of the documentation lead somewhere: their links, their pictures, and the site's table of contents."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
#: Made by scripts/docs_hooks.py while the site is built.
MADE = {"reference/settings.md", "reference/commands.md", "reference/api.md", "tutorials/notebook.md"}
MADE |= {"contributing.md", "security.md", "changelog.md"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_links_and_pictures_exist(page):
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8")):
        place = (page.parent / target).resolve().relative_to(ROOT).as_posix().removeprefix("docs/")
        assert place in MADE or (DOCS / place).exists(), target


def test_every_page_has_its_place_in_the_site():
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r"[\w/-]+\.md", config[config.index("\nnav:") :]))
    assert named == MADE | {page.relative_to(DOCS).as_posix() for page in PAGES}


def test_the_hook_that_the_site_names_exists():
    config = yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    assert all((ROOT / hook).exists() for hook in config["hooks"])


def test_pictures_are_small():
    large = {path.name: path.stat().st_size for path in (DOCS / "pictures").iterdir()}
    assert not {name: size for name, size in large.items() if size > (1e6 if name.endswith("gif") else 150e3)}
