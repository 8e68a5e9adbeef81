"""What a user installs holds everything that it needs, and runs from where it was put."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from datetime import date
from pathlib import Path

import pytest

from privaudit import knowledge
from privaudit.i18n import catalog
from privaudit.knowledge import loader, rules
from tests.virtual_phone.conftest import need

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


@pytest.mark.parametrize("folder", ["privaudit", "signatures"])
def test_every_file_of_the_checkout_is_in_the_wheel(wheel, folder):
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    tracked = subprocess.run([need("git"), "ls-files", folder], cwd=ROOT, check=False, capture_output=True, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    shipped = {re.sub(r"\Asignatures/", "privaudit/_signatures/", name) for name in tracked.stdout.split()}
    assert {name for name in shipped if (ROOT / name.replace("privaudit/_signatures", "signatures")).exists()} <= names


def test_the_wheel_names_its_command_and_licence(wheel):
    with zipfile.ZipFile(wheel) as archive:
        (entry_points,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        assert "privaudit = privaudit.cli:main" in archive.read(entry_points).decode()
        assert any(name.endswith("licenses/LICENSE") for name in archive.namelist())


USE = """
import re, tomllib
parse = tomllib.loads
def parse_small(text):
    assert not re.search(r"^\\[(\\[app|\\[label|words)", text, re.MULTILINE), text
    return parse(text)
tomllib.loads = parse_small
import datetime
from privaudit.knowledge import load_knowledge
lists = load_knowledge()
print(lists.describe_lists().sha256, lists.rules.describe_rules("CN", datetime.date(2026, 1, 1)))
"""


def test_the_wheel_has_compiled_lists_and_rules_and_uses_them(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
        compiled = archive.read("privaudit/_signatures/compiled.txt")
        compiled_rules = archive.read("privaudit/data/rules/compiled.txt")
        (record,) = (name for name in archive.namelist() if name.endswith(".dist-info/RECORD"))
        # What installers copy, also those that the portable folder starts.
        assert "privaudit/_signatures/compiled.txt,sha256=" in archive.read(record).decode()
    assert compiled == knowledge.compile_lists(loader.shipped_folder())
    assert compiled_rules == rules.compile_rules(catalog.RULES_FOLDER)
    folders = ("HOME", "XDG_DATA_HOME", "WIN_PD_OVERRIDE_LOCAL_APPDATA")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed"), **dict.fromkeys(folders, str(tmp_path))}
    use = [sys.executable, "-c", USE]
    said = subprocess.run(use, cwd=tmp_path, env=environment, check=True, capture_output=True, text=True).stdout
    lists = knowledge.load_knowledge(folder=loader.shipped_folder())
    described = lists.describe_lists().sha256, lists.rules.describe_rules("CN", date(2026, 1, 1))
    assert said.split(maxsplit=1) == [described[0], f"{described[1]}\n"]


def test_a_wheel_from_the_sdist_is_the_same(wheel, tmp_path):
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(tmp_path)]
    subprocess.run([*build, "--target", "sdist"], cwd=ROOT, check=True, capture_output=True)
    (sdist,) = tmp_path.glob("*.tar.gz")
    shutil.unpack_archive(sdist, tmp_path, filter="data")
    unpacked = tmp_path / sdist.name.removesuffix(".tar.gz")
    subprocess.run([*build, "--target", "wheel"], cwd=unpacked, check=True, capture_output=True)
    assert (tmp_path / wheel.name).read_bytes() == wheel.read_bytes()


IMPORT = """
import sys
sys.path.insert(0, ROOT)
before = {name.partition(".")[0] for name in sys.modules}
import privaudit.knowledge
print(*{name.partition(".")[0] for name in sys.modules} - before - set(sys.stdlib_module_names))
"""
OF_PYDANTIC = {"annotated_types", "pydantic", "pydantic_core", "typing_extensions", "typing_inspection"}


def test_what_compiles_the_lists_is_there_when_the_wheel_is_built():
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    required = set(settings["build-system"]["requires"])
    assert {line for line in required if not line.startswith("hatchling")} <= set(settings["project"]["dependencies"])
    use = [sys.executable, "-c", IMPORT.replace("ROOT", repr(str(ROOT)))]
    imported = set(subprocess.run(use, check=True, capture_output=True, text=True).stdout.split())
    imported = {name for name in imported if not name.startswith("_sysconfigdata")}
    assert imported - {"privaudit"} - OF_PYDANTIC == {re.split("[<>=]", line)[0] for line in required} - {
        "hatchling",
        "pydantic",
    }


def test_the_demo_runs_from_the_wheel_alone(wheel, tmp_path):
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path / "installed")
    demo = subprocess.run(
        [sys.executable, "-m", "privaudit", "demo", "--details", "--lang", "en"],
        cwd=tmp_path,
        env={
            **os.environ,
            "PYTHONPATH": str(tmp_path / "installed"),
            "HOME": str(tmp_path),
            "USERPROFILE": str(tmp_path),
        },
        check=False,
        capture_output=True,
        text=True,
    )
    where = subprocess.run(
        [sys.executable, "-c", "import privaudit; print(privaudit.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(tmp_path / "installed")},
        check=True,
        capture_output=True,
        text=True,
    )
    assert where.stdout.startswith(str(tmp_path))
    assert demo.returncode == 3, demo.stderr
    assert "com.example.sudaibao" in demo.stdout
    assert not (tmp_path / ".android").exists()
