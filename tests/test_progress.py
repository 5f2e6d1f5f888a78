"""Progress: lines of their own where nobody watches a terminal."""

import sys

import pytest

from selfinstruct.progress import progress_bar


def test_a_log_gets_whole_lines_without_carriage_returns(capsys: pytest.CaptureFixture[str]) -> None:
    assert not sys.stderr.isatty()
    with progress_bar("answers", total=3, done=1) as bar:
        bar.update()
        bar.update()
    shown = capsys.readouterr().err
    assert "\r" not in shown
    lines = shown.splitlines()
    assert lines[0].startswith("answers:  33%") and "1/3" in lines[0]
    assert lines[-1].startswith("answers: 100%") and "3/3" in lines[-1]


def test_a_bar_that_is_switched_off_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar("answers", total=3, disable=True) as bar:
        bar.update()
    assert capsys.readouterr().err == ""
