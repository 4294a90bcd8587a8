"""The page that sums a batch up: one HTML file that needs nothing else, failures first, then the least certain."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Iterator
from html import escape
from pathlib import Path

from napari_s3net.batch.file_row import FileRow
from napari_s3net.batch.folder import PAGE, TABLE, inside
from napari_s3net.batch.report import BatchReport
from napari_s3net.errors import WriteError
from napari_s3net.io.write import replacing

#: So many rows have a picture; more would make a page that no browser likes to open.
PICTURES = 1000
#: Results that are less certain are marked.
UNCERTAIN = 0.5

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Batch report</title>
<style>
:root {{ color-scheme: light dark; --line: #8884; --quiet: #777; --good: #0a74d8; --bad: #c2410c; }}
@media (prefers-color-scheme: dark) {{ :root {{ --good: #7ad6ff; --bad: #fb923c; --quiet: #aaa; }} }}
body {{ font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem; }}
h1 {{ font-size: 1.5rem; margin: 0; }}
.quiet {{ color: var(--quiet); }}
.totals {{ display: flex; flex-wrap: wrap; gap: .75rem; margin: 1.25rem 0; padding: 0; list-style: none; }}
.totals li {{ border: 1px solid var(--line); border-radius: 6px; min-width: 7rem; padding: .5rem 1rem; }}
.totals b {{ display: block; font-size: 1.5rem; line-height: 1.2; }}
.bad {{ color: var(--bad); }}
form {{ display: flex; flex-wrap: wrap; gap: .5rem 1.25rem; margin: 1rem 0; align-items: center; }}
input[type=search] {{ flex: 1 1 14rem; font: inherit; padding: .3rem .6rem; }}
table {{ border-collapse: collapse; width: 100%; }}
th {{ color: var(--quiet); font-weight: normal; text-align: left; }}
th, td {{ border-bottom: 1px solid var(--line); padding: .35rem .6rem; vertical-align: middle; }}
td.number, th.number {{ text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }}
td.file {{ overflow-wrap: anywhere; white-space: pre-wrap; width: 40%; }}
td.sure {{ white-space: nowrap; }}
td.picture {{ width: 96px; }}
td.picture img {{ display: block; max-width: 96px; max-height: 96px; }}
.bar {{ display: inline-block; width: 4rem; height: .5rem; margin-right: .5rem; border-radius: 4px;
        background: linear-gradient(to right, var(--good) var(--share), var(--line) var(--share)); }}
tr[hidden] {{ display: none; }}
</style>
</head>
<body>
<h1>Batch report</h1>
<p class="quiet">{about}</p>
<ul class="totals">{totals}</ul>
<form>
<label><input type="radio" name="show" value="" checked> all</label>
<label><input type="radio" name="show" value="failed"> failed</label>
<label><input type="radio" name="show" value="uncertain"> less certain than {uncertain} %</label>
<input type="search" placeholder="Find a file" aria-label="Find a file">
<span class="quiet" id="count"></span>
</form>
<table>
<thead><tr><th></th><th>File</th><th>State</th><th class="number">Object</th><th>Confidence</th>
<th class="number">Time</th></tr></thead>
<tbody>
"""
_TAIL = """</tbody>
</table>
<script>
const form = document.querySelector("form"), rows = [...document.querySelectorAll("tbody tr")];
function show() {
  const kind = form.elements.show.value, words = form.querySelector("[type=search]").value.toLowerCase();
  let count = 0;
  for (const row of rows) {
    row.hidden = (kind && row.dataset.kind !== kind) || !row.cells[1].textContent.toLowerCase().includes(words);
    count += !row.hidden;
  }
  document.getElementById("count").textContent = `${count} of ${rows.length} files`;
}
form.addEventListener("input", show);
form.addEventListener("submit", event => event.preventDefault());
show();
</script>
</body>
</html>
"""


def write_page(output: Path, report: BatchReport) -> None:
    """Write `report.html`.

    Parameters
    ----------
    output : Path
        The output folder, for the pictures.
    report : BatchReport
        Of that folder.

    Raises
    ------
    WriteError
        If that is not possible.
    """
    path = output.absolute() / PAGE
    with (
        replacing(path) as temporary,
        temporary.open("w", encoding="utf-8", errors="backslashreplace") as stream,
    ):
        stream.write(_head(report, has_table=(path.parent / TABLE).exists()))
        stream.writelines(_rows(path.parent, report))
        stream.write(_TAIL)


def _head(report: BatchReport, *, has_table: bool) -> str:
    """Totals, and what it was made with."""
    states: Counter[str] = Counter()
    presets: Counter[str] = Counter()
    devices: Counter[str] = Counter()
    seconds, noted, uncertain, version = 0.0, 0, 0, ""
    for row in report.rows(light=True):
        states[row.status] += 1
        seconds += row.seconds
        noted += bool(row.note)
        uncertain += _kind(row) == "uncertain"
        if row.status == "done":
            presets[row.preset] += 1
            devices[row.device] += 1
            version = row.version
    totals = [
        (len(report), "files", ""),
        (states["done"], "done", ""),
        (states["failed"], "failed", "bad" if states["failed"] else ""),
        (uncertain, "uncertain", ""),
        *([(noted, "with a note", "")] if noted else []),
        (_time(seconds), "of work", ""),
    ]
    words = [
        f"napari-s3net {version}".strip(),
        "preset " + ", ".join(presets) if presets else "",
        "on " + ", ".join(devices) if devices else "",
    ]
    table = f' · <a href="{TABLE}">{TABLE}</a>' if has_table else ""
    return _HEAD.format(
        about=escape(" · ".join(word for word in words if word)) + table,
        totals="".join(f'<li class="{kind}"><b>{number}</b>{name}</li>' for number, name, kind in totals),
        uncertain=round(100 * UNCERTAIN),
    )


def _rows(output: Path, report: BatchReport) -> Iterator[str]:
    """A row of the table each."""
    for n, row in enumerate(report.rows(worst_first=True, light=True)):
        picture = _picture(output, row) if n < PICTURES else ""
        problem = f'<span class="bad">failed</span>: {escape(row.error)}'
        state = problem if row.status == "failed" else f"done{'. ' if row.note else ''}{escape(row.note)}"
        share = "" if row.share is None else f"{100 * row.share:.1f} %"
        yield (
            f'<tr data-kind="{_kind(row)}"><td class="picture">{picture}</td><td class="file">{escape(row.file)}</td>'
            f'<td>{state}</td><td class="number">{share}</td><td class="sure">{_confidence(row)}</td>'
            f'<td class="number">{_time(row.seconds)}</td></tr>\n'
        )


def _kind(row: FileRow) -> str:
    """What the rows are filtered by."""
    if row.status == "failed":
        return "failed"
    return "uncertain" if row.confidence is not None and row.confidence < UNCERTAIN else "done"


def _confidence(row: FileRow) -> str:
    if row.confidence is None:
        return ""
    percent = round(100 * row.confidence)
    return f'<span class="bar" style="--share: {percent}%"></span>{percent} %'


def _picture(output: Path, row: FileRow) -> str:
    """The picture as part of the page; nothing where it has gone."""
    try:
        data = inside(output, row.outputs.get("thumbnails", "thumbnails/")).read_bytes()
    except (OSError, WriteError):
        return ""
    return f'<img loading="lazy" alt="" src="data:image/jpeg;base64,{base64.b64encode(data).decode()}">'


def _time(seconds: float) -> str:
    """A duration for a person: "0.8 s", "14 min", "3.2 h"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.0f} min" if seconds < 3600 else f"{seconds / 3600:.1f} h"
