"""A path may be typed, or dragged into the terminal, which puts quotation marks or backslashes around it."""

import os
from pathlib import Path

import pytest

from privaudit.home import typed_path

POSIX = pytest.mark.skipif(os.name != "posix", reason="a backslash is part of a path on Windows")


@pytest.mark.parametrize(
    ("typed", "path"),
    [
        ("report.json", "report.json"),
        ("'/a b/c.zip'", "/a b/c.zip"),
        ("'/a b/c.zip' ", "/a b/c.zip"),
        ('"/a b/c.zip"', "/a b/c.zip"),
        (" /a b/c.zip ", "/a b/c.zip"),
        ("'/my sister'\\''s/c.zip'", "/my sister's/c.zip"),
        ("'", "'"),
        pytest.param("/a\\ b/c\\(1\\).zip", "/a b/c(1).zip", marks=POSIX),
        pytest.param("/U\\ 盘/检查.zip", "/U 盘/检查.zip", marks=POSIX),
        pytest.param("a\\b", "a\\b", marks=POSIX),
    ],
)
def test_what_the_terminal_puts_around_a_path_is_no_part_of_it(typed, path):
    assert typed_path(typed) == Path(path)


def test_the_home_folder_is_known_inside_quotation_marks_too(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert typed_path("'~/my day'") == tmp_path / "my day"
