"""One thread for torch: tests share two cores with a viewer, and small images gain nothing from a second one."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")
