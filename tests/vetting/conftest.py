"""What is known, and APKs: the demo's own, and what is made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pytest

from privaudit import vetting
from privaudit.vetting import VettingContext
from privaudit.vetting.document import VettingReport
from privaudit.virtual_phone import apks
from tests.fixtures.apk_builder import Row, aapt, manifest, pack, rows_of


@pytest.fixture(scope="session")
def known() -> VettingContext:
    return vetting.load_vetting_context()


@pytest.fixture(scope="session")
def loan() -> bytes:
    """A lending app, signed."""
    return apks.load_apks()["com.example.sudaibao-10402.apk"]


@pytest.fixture(scope="session")
def part(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A split of `loan`."""
    source = (
        '<manifest xmlns:android="http://schemas.android.com/apk/res/android" package="com.example.sudaibao"'
        ' android:versionCode="10402" split="config.zh"><application android:hasCode="false"/></manifest>'
    )
    return aapt(tmp_path_factory.mktemp("split"), source, {})


@pytest.fixture
def vetted(tmp_path: Path, known: VettingContext) -> Callable[..., VettingReport]:
    """The document on `read_entry`, as a file of this name."""

    def vetted(content: bytes, name: str = "app.apk", held: VettingContext = known) -> VettingReport:
        path = tmp_path / name
        path.write_bytes(content)
        return vetting.vet(path, held)

    return vetted


@pytest.fixture
def made(tmp_path: Path) -> Callable[..., bytes]:
    """An APK with such permissions and such a body, by aapt."""

    def made(*permissions: str, body: str = "", target: int = 34, more: str = "", **names: str) -> bytes:
        asked = "".join(f'<uses-permission android:name="android.permission.{name}"/>' for name in permissions)
        source = manifest(body, head=asked + more, **{"label": "Quick Loan", **names})
        source = source.replace('targetSdkVersion="30"', f'targetSdkVersion="{target}"')
        folder = tmp_path / f"made-{len(list(tmp_path.iterdir()))}"
        folder.mkdir()
        return aapt(folder, source, {})

    return made


def with_entries(apk: bytes, entries: Mapping[str, bytes] | Sequence[Row]) -> bytes:
    """`apk` with further entries. Its signing block is lost."""
    rows = entries if isinstance(entries, Sequence) else [Row(name, data) for name, data in entries.items()]
    return pack([*rows_of(apk), *rows])


def bundled(entries: Mapping[str, bytes], method: int = 0) -> bytes:
    """A bundle of these."""
    return pack([Row(name, data, method) for name, data in entries.items()])


def reasons(document: VettingReport) -> dict[str, str]:
    """Why which part was not read."""
    return {gap.part: gap.why.key.removeprefix("apk.") for gap in document.gaps}
