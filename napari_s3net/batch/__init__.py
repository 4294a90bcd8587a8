"""A folder in, a folder out: one result a file, resumable, on one machine or many."""

from __future__ import annotations

from napari_s3net.batch.engine import Summary, batch, iter_batch
from napari_s3net.batch.executor import BatchExecutor, open_executor
from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.items import Item, find_items, what_is_left_out
from napari_s3net.batch.plan import KINDS, Plan
from napari_s3net.batch.report import BatchReport

__all__ = [
    "KINDS",
    "BatchExecutor",
    "BatchReport",
    "FileRow",
    "Item",
    "Plan",
    "Summary",
    "batch",
    "find_items",
    "iter_batch",
    "open_executor",
    "what_is_left_out",
]
