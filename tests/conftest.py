"""What holds for every test: one thread for torch, which shares two cores with a viewer, and an ear for Ctrl-C."""

import os
import signal

os.environ.setdefault("OMP_NUM_THREADS", "1")

# A shell without job control starts what runs in the background deaf to Ctrl-C, and its children inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
