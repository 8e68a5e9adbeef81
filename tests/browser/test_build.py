"""The builder of the page: pinned downloads, the same bytes each time, and a clear error without a network."""

from __future__ import annotations

import hashlib
import importlib.util
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from privaudit.browser import page_data
from privaudit.i18n import catalog
from tests.browser.conftest import ROOT, slow

BUILD = ROOT / "tools" / "browser" / "build.py"


@pytest.fixture(scope="module")
def build():
    spec = importlib.util.spec_from_file_location("browser_build", BUILD)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_every_download_is_pinned(build):
    lines = (ROOT / "tools" / "browser" / "locked.txt").read_text(encoding="utf-8").splitlines()
    assert len(build.read_pins()) == sum(not line.startswith("#") for line in lines)
    release, digest = build.read_npm_pin()
    assert re.fullmatch(r"pyodide@\d+\.\d+\.\d+", release)
    assert len(digest) == 128


def test_pins_fit_what_the_package_asks_for(build):
    pinned = dict(release.split("==") for release in build.read_pins())
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {requirement.name: requirement for requirement in map(Requirement, project["dependencies"])}
    for name, version in pinned.items():
        if name in wanted:
            assert wanted[name].specifier.contains(version), name
    assert {"adb-shell", "jinja2", "pydantic", "rich", "platformdirs", "asn1crypto", "tzdata"} <= pinned.keys()


def test_without_downloads_and_network_it_says_what_is_missing(build, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(build, "CACHE", tmp_path / "cache")
    with pytest.raises(SystemExit) as ended:
        build.download(offline=True)
    assert "pyodide@" in str(ended.value)
    assert "adb-shell==" in str(ended.value)
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    with pytest.raises(SystemExit, match="npm is missing"):
        build.download(offline=False)


def test_a_file_with_another_hash_is_not_used(build, tmp_path, monkeypatch):
    monkeypatch.setattr(build, "CACHE", tmp_path)
    (tmp_path / "adb_shell-0.4.4.tar.gz").write_bytes(b"something else")
    assert build.find_cached(build.read_pins()["adb-shell==0.4.4"]) is None


def test_the_modules_are_joined_in_the_order_of_their_imports(build):
    names = [name for name in page_data.PAGE_FILES if name.endswith(".js") and name != "worker.js"]
    for index, name in enumerate(names):
        imported = re.findall(r'from "\./(\w+\.js)"', build.read_page_file(name))
        assert set(imported) <= set(names[:index]), name
    joined = build.bundle_modules()
    assert not re.search(r"^\s*(?:import|export)\b", joined, re.MULTILINE)
    tops = re.findall(r"^(?:async )?(?:function|const|let|class) (\w+)", joined, re.MULTILINE)
    assert len(tops) == len(set(tops))


def test_the_page_has_each_sentence_in_each_language():
    data = page_data.page_data()
    keys = page_data.named_keys()
    assert len(keys) > 100
    assert data["words"].keys() == set(catalog.languages())
    for code, words in data["words"].items():
        assert set(keys) == words.keys(), code
    for words in data["words"].values():
        assert all(isinstance(text, str) for text in words.values())  # the page knows no plural forms


def test_the_page_names_no_address_and_runs_no_handler():
    for name in page_data.PAGE_FILES:
        text = (page_data.page_folder() / name).read_text(encoding="utf-8")
        assert not re.search(r"https?://", text), name
        assert not re.search(r"\son\w+=", text) or name != "index.html"
        assert "innerHTML" not in text
        assert "eval(" not in text


@slow
def test_two_builds_are_the_same_bytes(build, tmp_path):
    if not build.CACHE.is_dir():
        pytest.skip("the downloads are not there")
    digests = []
    for name in ("one", "two"):
        subprocess.run([sys.executable, str(BUILD), "--offline", "--output", str(tmp_path / name)], check=True)
        files = sorted(path for path in (tmp_path / name).rglob("*") if path.is_file())
        digests.append(
            [(path.relative_to(tmp_path / name), hashlib.sha256(path.read_bytes()).digest()) for path in files]
        )
        shutil.rmtree(tmp_path / name)
    assert digests[0] == digests[1]
    assert Path("privaudit.html") in dict(digests[0])
