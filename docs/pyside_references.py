"""PySide6 alone: each call of a function without a result takes a reference to None away (PySide6 6.12.0, Python 3.11).

    python docs/pyside_references.py   # with 6.12.0 it prints -1000 and ends with "Fatal Python error: none_dealloc"

Python before 3.12 counts references to None and ends the process when none is left. Napari with an image has some
190,000 of them; a movement of the mouse over it takes 20. PySide6 6.11.3, 6.9.3 and 6.8.3 print 0, and so does every
version on Python 3.12 and later, where None is immortal.
"""

import sys

from PySide6.QtCore import QObject

one, before = QObject(), sys.getrefcount(None)
for _ in range(1000):
    one.setObjectName("")
print(sys.getrefcount(None) - before, flush=True)
while sys.getrefcount(None) < before:
    one.setObjectName("")
