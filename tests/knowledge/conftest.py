"""Fixtures: lists written for a test, and problems as sentences."""

from __future__ import annotations

from pathlib import Path

import pytest

from privaudit.i18n import Translator

HEAD = '[source]\npublisher = "Somebody"\ntitle = "A list"\n'
FOLDER_VARIABLES = ("HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "LOCALAPPDATA", "APPDATA", "USERPROFILE")


@pytest.fixture
def listed(tmp_path):
    """Write a list of one's own: its rows, what else its head says, and its file name."""

    def write(rows: str, head: str = "", name: str = "mine.toml") -> Path:
        path = tmp_path / "lists" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"{HEAD}{head}\n{rows}", encoding="utf-8")
        return path

    return write


@pytest.fixture
def worded():
    """Mistakes in English and in Chinese: each must have words and fill their gaps."""

    def word(mistakes) -> list[str]:
        for mistake in mistakes:
            for code in ("en", "zh"):
                said = Translator(code).translate(mistake)
                assert "…" not in said or "…" in str(mistake.values), said
                assert not said.startswith("["), said
        return [Translator("en").translate(mistake) for mistake in mistakes]

    return word


@pytest.fixture
def places(tmp_path, monkeypatch):
    """Folders of a user who has nothing yet."""
    for name in FOLDER_VARIABLES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    for name in ("LOCAL_APPDATA", "APPDATA"):  # Windows itself is asked for these folders, not the environment
        monkeypatch.setenv(f"WIN_PD_OVERRIDE_{name}", str(tmp_path / "home" / name))
    return tmp_path / "home"
