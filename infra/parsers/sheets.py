"""Excel workbooks, through calamine: a heading for each sheet, a row for each row."""

import datetime as dt
import io

import python_calamine

from domain.errors import Invalid
from domain.parsing import ParsedDocument
from infra.parsers.builder import TextBuilder, stem
from infra.parsers.office import core_properties
from infra.parsers.rows import add_rows

MAX_CELLS = 5_000_000
"""One far-off cell can make a sheet so large that it would fill the memory with nothing."""

MEDIA_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Cell = str | float | int | bool | dt.date | dt.datetime | dt.time | dt.timedelta | None


def parse(name: str, content: bytes) -> ParsedDocument:
    """Return a workbook; pages are its sheets. Raises: Invalid when it is damaged, protected, or says nothing."""
    try:
        workbook = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(content))
    except python_calamine.PasswordError as error:
        raise Invalid("This workbook is password protected. Save it without a password and try again.") from error
    builder = TextBuilder()
    for number, sheet_name in enumerate(workbook.sheet_names, start=1):
        sheet = workbook.get_sheet_by_index(number - 1)
        if not sheet.height:
            continue
        if sheet.height * sheet.width > MAX_CELLS:
            raise Invalid(
                f"The sheet {sheet_name} spans more than {MAX_CELLS:,} cells. Remove its empty columns and rows."
            )
        builder.heading(sheet_name, 1, page=number)
        add_rows(builder, ([_shown(cell) for cell in row] for row in sheet.iter_rows()), page=number)
    core = core_properties(content)
    return builder.build(
        name,
        MEDIA_TYPE,
        title=core.title or stem(name),
        author=core.author,
        created_at=core.created_at,
        modified_at=core.modified_at,
    )


def _shown(cell: Cell) -> str:
    """A cell as a person sees it: whole numbers without a point, dates as ISO 8601."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, dt.datetime):
        return cell.isoformat(sep=" ", timespec="minutes")
    return "" if cell is None else str(cell)
