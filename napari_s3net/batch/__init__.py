"""A folder in, a folder out: one result a file, resumable, on one machine or many."""

from __future__ import annotations

from napari_s3net.batch.crew import Crew, gather
from napari_s3net.batch.engine import Summary, batch, iter_batch
from napari_s3net.batch.items import Item, find_items
from napari_s3net.batch.plan import KINDS, Plan
from napari_s3net.batch.report import Report
from napari_s3net.batch.row import Row

__all__ = ["KINDS", "Crew", "Item", "Plan", "Report", "Row", "Summary", "batch", "find_items", "gather", "iter_batch"]
