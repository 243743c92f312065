"""Rows of spreadsheets: with a header, each cell says which column it is in, so that a row can be understood alone."""

from collections.abc import Iterable, Sequence

from infra.parsers.builder import TextBuilder, one_line


def add_rows(builder: TextBuilder, rows: Iterable[Sequence[str]], page: int | None = None) -> None:
    """Append rows; the first that is not empty is taken as the header when it looks like one."""
    header: Sequence[str] | None = None
    is_first = True
    for row in rows:
        if not any(cell.strip() for cell in row):
            continue
        if is_first and _is_header(row):
            header = [one_line(cell) for cell in row]
        builder.row(list(row) if header is None or is_first else _labelled(header, row), page=page)
        is_first = False


def _is_header(row: Sequence[str]) -> bool:
    """Names are short, differ from each other, hold letters, and there are at least two."""
    names = [cell.strip() for cell in row if cell.strip()]
    return (
        len(names) > 1
        and len(set(names)) == len(names)
        and all(len(name) <= 60 and any(letter.isalpha() for letter in name) for name in names)
        and not any(name[0].isdigit() for name in names)
    )


def _labelled(header: Sequence[str], row: Sequence[str]) -> list[str]:
    cells = []
    for column, cell in enumerate(row):
        name = header[column] if column < len(header) else ""
        if cell.strip():
            cells.append(f"{name}: {cell}" if name else cell)
    return cells
