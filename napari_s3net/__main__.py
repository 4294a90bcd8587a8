"""`python -m napari_s3net` is the same as `napari-s3net`."""

import sys

from napari_s3net.cli import main

sys.exit(main())
