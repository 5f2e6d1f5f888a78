"""Excel workbooks with the same bytes for the same content, in which a text is never a formula.

python scripts/report_ratings.py ratings=runs/annotate run_dir=runs/ratings   # writes ratings.xlsx
"""

import io
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from selfinstruct.errors import UserError
from selfinstruct.jsonl import replace_bytes

CELL_CHARACTERS = 32_767  # Excel's limit
_CUT = " […cut: a cell holds no more]"
_NOT_IN_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TIMES = re.compile(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*")


@dataclass(frozen=True)
class Sheet:
    """A sheet: its rows by column name, all with the same columns.

    Attributes:
        widths: of columns, in characters; others are as wide as Excel makes them.
        choices: columns whose cells take only these values.
        hidden: columns that are not shown.
    """

    title: str
    rows: Sequence[Mapping[str, Any]]
    widths: Mapping[str, int] = field(default_factory=dict)
    choices: Mapping[str, Sequence[str]] = field(default_factory=dict)
    hidden: Sequence[str] = ()


def write_workbook(path: Path, sheets: Sequence[Sheet]) -> None:
    """Write a whole workbook atomically; what a cell cannot hold is cut, and says so."""
    import openpyxl  # here: half a second

    bold = openpyxl.styles.Font(bold=True)
    only_listed = openpyxl.worksheet.datavalidation.DataValidation
    workbook = openpyxl.Workbook()
    workbook.remove(workbook.worksheets[0])
    for sheet in sheets:
        made = workbook.create_sheet(sheet.title)
        columns = list(sheet.rows[0])
        for column, name in enumerate(columns, start=1):
            letter = openpyxl.utils.get_column_letter(column)
            made.cell(1, column, name).font = bold
            made.column_dimensions[letter].hidden = name in sheet.hidden
            if name in sheet.widths:
                made.column_dimensions[letter].width = sheet.widths[name]
            if name in sheet.choices:
                listed = ",".join(sheet.choices[name])
                only = only_listed("list", formula1=f'"{listed}"', allow_blank=True, showErrorMessage=True)
                only.add(f"{letter}2:{letter}{len(sheet.rows) + 1}")
                made.add_data_validation(only)
        for number, row in enumerate(sheet.rows, start=2):
            for column, name in enumerate(columns, start=1):
                cell = made.cell(number, column)
                if isinstance(row[name], str):
                    cell.value = _fitting(row[name])
                    cell.data_type = "s"  # else a text that begins with = would be run
                else:
                    cell.value = row[name]
                wraps = name in sheet.widths
                cell.alignment = openpyxl.styles.Alignment(wrap_text=wraps, vertical="top")
        made.freeze_panes = "A2"
    replace_bytes(path, _without_times(workbook))


def _fitting(text: str) -> str:
    text = _NOT_IN_XML.sub("\ufffd", text)
    return text if len(text) <= CELL_CHARACTERS else text[: CELL_CHARACTERS - len(_CUT)] + _CUT


def _without_times(workbook: Any) -> bytes:
    made, fixed = io.BytesIO(), io.BytesIO()
    workbook.save(made)
    with zipfile.ZipFile(made) as before, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as after:
        for name in before.namelist():
            content = before.read(name)
            if name == "docProps/core.xml":
                content = _TIMES.sub(rb"\g<1>2000-01-01T00:00:00Z", content)
            after.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return fixed.getvalue()


def read_sheet(path: Path, title: str) -> list[tuple[int, dict[str, Any]]]:
    """(row number, cells by column name) of each row of a sheet that is not blank.

    Raises:
        UserError: no workbook, or no such sheet.
    """
    import openpyxl

    not_one = (openpyxl.utils.exceptions.InvalidFileException, zipfile.BadZipFile, KeyError, ValueError)
    try:
        workbook = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); check the path") from error
    except not_one as error:
        raise UserError(f"{path}: is no Excel workbook ({error}); save it as .xlsx") from error
    if title not in workbook.sheetnames:
        raise UserError(f"{path}: has no sheet {title!r}; give a workbook that rating_forms.py wrote")
    rows = list(workbook[title].iter_rows(values_only=True))
    workbook.close()
    columns = [str(name) for name in rows[0]] if rows else []
    return [
        (number, dict(zip(columns, row, strict=False)))
        for number, row in enumerate(rows[1:], start=2)
        if any(cell is not None for cell in row)
    ]
