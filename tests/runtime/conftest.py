"""Good files of each kind, as the readers' tests have them."""

from tests.io.conftest import files, good_files

__all__ = ["files", "good_files"]
