"""Updates of the lists: signed with minisign, verified, and installed in one step or refused."""

from __future__ import annotations

import http.server
import io
import re
import shutil
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from privaudit import knowledge
from privaudit.errors import KnowledgeError, SignatureListError
from privaudit.knowledge import loader, minisign, releases, update
from privaudit.knowledge.loader import COMPILED_FILE
from tests.virtual_phone.conftest import need

NEWER = 2099010100


@pytest.fixture(scope="session")
def tool():
    """Debian's own minisign, the real counterpart."""
    return need("minisign")


@pytest.fixture(scope="session")
def signer(tool, tmp_path_factory):
    """Signs a file with a key that was made for this run: ``signer(path, *options)``; its public key is `.key`."""
    return make_signer(tool, tmp_path_factory.mktemp("key"))


def make_signer(tool, folder):
    public, secret = folder / "test.pub", folder / "test.key"
    subprocess.run([tool, "-G", "-W", "-p", public, "-s", secret], check=True, capture_output=True, timeout=60)

    def sign(path: Path, *options: str) -> Path:
        command = [tool, "-S", "-s", secret, "-m", path, *options]
        subprocess.run(command, check=True, capture_output=True, timeout=60)
        return path.with_name(path.name + ".minisig")

    sign.key = public
    return sign


def packed(changed=None, number=NEWER) -> bytes:
    """The shipped lists as a newer edition; `changed`: files to replace, or to leave out (``None``)."""
    content = update.unpack_release(update.pack_release(loader.shipped_folder()), "x")
    content["release.toml"] = f'number = {number}\nreleased = "2099-01-01"\n'.encode()
    content |= changed or {}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            if data is not None:
                archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def offered(tmp_path, signer):
    """Write a signed zip and give its path."""

    def offer(data: bytes | None = None, *options: str) -> Path:
        path = tmp_path / "lists.zip"
        path.write_bytes(packed() if data is None else data)
        signer(path, *options)
        return path

    return offer


def keys(signer):
    return update.load_public_keys([str(signer.key)])


def refused(path, believed) -> str:
    """Why an offer was refused; and nothing has changed."""
    before = releases.active_folder()
    with pytest.raises((SignatureListError, KnowledgeError)) as error:
        update.install_update(str(path), believed)
    assert releases.active_folder() == before
    kept = releases.updates_root()
    assert not kept.is_dir() or not [one for one in kept.iterdir() if one.name.startswith("new")]
    return error.value.name


ROW = '\n[[app]]\npackage = "com.example.newcomer"\nnames = ["Newcomer"]\n'


def with_newcomer(number=NEWER):
    text = (loader.shipped_folder() / "risky" / "secp-2024.toml").read_bytes()
    return packed({"risky/secp-2024.toml": text + ROW.encode()}, number)


def test_signed_lists_are_installed_and_used(places, offered, signer):
    path = offered(with_newcomer(), "-t", "lists of the day")
    assert knowledge.load_knowledge().find_matches("package", "com.example.newcomer") == ()
    taken = update.install_update(str(path), keys(signer))
    assert (taken.number, taken.released, taken.comment) == (NEWER, "2099-01-01", "lists of the day")
    (listing,) = knowledge.load_knowledge().find_matches("package", "com.example.newcomer")
    assert listing.publisher.endswith("(SECP)")
    # The next one replaces it, and nothing of it is left.
    update.install_update(str(offered(packed(number=NEWER + 1))), keys(signer))
    assert knowledge.load_knowledge().find_matches("package", "com.example.newcomer") == ()
    assert sorted(one.name for one in releases.updates_root().iterdir()) == ["current", f"edition{NEWER + 1}"]


def test_a_legacy_signature_is_accepted(places, offered, signer):
    path = offered(None, "-l")
    assert (path.parent / "lists.zip.minisig").read_text("utf-8").splitlines()[1].startswith("RW")
    assert update.install_update(str(path), keys(signer)).number == NEWER


def test_plain_and_prehashed_signatures_differ(offered):
    path = offered()
    assert (path.parent / "lists.zip.minisig").read_text("utf-8").splitlines()[1].startswith("RU")


@pytest.mark.parametrize("place", [0, 1000, -1])
def test_tampered_lists_are_refused(places, offered, signer, place):
    path = offered()
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)
    assert refused(path, keys(signer)) == "lists_signature_wrong"


def test_a_changed_trusted_comment_is_refused(places, offered, signer):
    path = offered(None, "-t", "edition 1")
    signature = path.with_name("lists.zip.minisig")
    signature.write_text(signature.read_text("utf-8").replace("edition 1", "edition 2"))
    assert refused(path, keys(signer)) == "lists_signature_wrong"


def test_a_signature_by_an_untrusted_key_is_refused(places, offered, signer, tool, tmp_path):
    (tmp_path / "other").mkdir()
    other = make_signer(tool, tmp_path / "other")
    path = offered()
    assert refused(path, keys(other)) == "lists_signature_other_key"
    # Nor does it help to call one's key by the other's number.
    ours, theirs = keys(signer)[0], keys(other)[0]
    forged = minisign.MinisignPublicKey(key_id=ours.key_id, key=theirs.key)
    assert refused(path, [forged]) == "lists_signature_wrong"


def test_unsigned_lists_are_refused(places, offered, signer):
    path = offered()
    path.with_name("lists.zip.minisig").unlink()
    assert refused(path, keys(signer)) == "lists_unsigned"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda text: text[:0],
        lambda text: text[:-20],
        lambda text: text.replace("\ntrusted comment: ", "\ncomment: "),
        lambda text: text.replace("\nR", "\nS", 1),
        lambda text: text + "x" * minisign.MAX_SIGNATURE_BYTES,
        lambda text: text.replace("=", "é"),
    ],
)
def test_a_malformed_signature_is_refused(places, offered, signer, spoil):
    path = offered()
    signature = path.with_name("lists.zip.minisig")
    signature.write_text(spoil(signature.read_text("utf-8")), encoding="utf-8")
    assert refused(path, keys(signer)) in {"lists_signature_malformed", "lists_too_large"}


@pytest.mark.parametrize("number", [1, None, NEWER])
def test_older_and_equal_lists_are_refused_though_signed(places, offered, signer, number):
    update.install_update(str(offered(with_newcomer())), keys(signer))
    number = releases.release_number(loader.shipped_folder()) if number is None else number
    assert refused(offered(packed(number=number)), keys(signer)) == "lists_not_newer"
    assert knowledge.load_knowledge().find_matches("package", "com.example.newcomer")


def test_newer_shipped_lists_win_over_installed_ones(places, offered, signer, monkeypatch):
    update.install_update(str(offered(with_newcomer())), keys(signer))
    monkeypatch.setattr(
        releases, "release_number", lambda folder: NEWER if folder == releases.updated_folder() else NEWER + 1
    )
    assert knowledge.load_knowledge().find_matches("package", "com.example.newcomer") == ()


def test_installed_lists_are_compiled(places, offered, signer, monkeypatch):
    update.install_update(str(offered(with_newcomer())), keys(signer))
    folder = releases.updated_folder()
    assert (folder / COMPILED_FILE).read_bytes() == knowledge.compile_lists(folder)
    monkeypatch.setattr(loader, "_find_long_key", lambda text: 1 if "[[app]]" in text or "[[label]]" in text else None)
    assert knowledge.load_knowledge().find_matches("package", "com.example.newcomer")


def zipped(**entries) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in entries.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (b"", "lists_malformed"),
        (b"not a zip", "lists_malformed"),
        (packed()[:-30], "lists_malformed"),
        (zipped(**{"../evil.toml": "x"}), "lists_malformed"),
        (zipped(**{"/etc/evil.toml": "x"}), "lists_malformed"),
        (zipped(**{"risky/evil.py": "x"}), "lists_malformed"),
        (packed({COMPILED_FILE: b"made elsewhere"}), "lists_malformed"),
        (zipped(**{"risky\\evil.toml": "x"}), "lists_malformed"),
        (zipped(**{"a/b/c.toml": "x"}), "lists_malformed"),
        (zipped(**{"release.toml": "x"}), "lists_mistakes"),
        (packed({"vocabulary.toml": None}), "lists_mistakes"),
        (packed({"stores.toml": None}), "lists_mistakes"),
        (packed({"release.toml": b"number = 0\n"}), "lists_mistakes"),
        (packed({"release.toml": None}), "lists_mistakes"),
        (packed({"risky/bad.toml": b"[[app]]\n"}), "lists_mistakes"),
        (packed({"risky/undisputed.toml": (ROW.replace("newcomer", "x") + "[source]\n").encode()}), "lists_mistakes"),
        (packed({"risky/large.toml": b"#" * (loader.MAX_FILE_BYTES + 1)}), "lists_too_large"),
        (zipped(**{f"risky/a{place}.toml": "" for place in range(1001)}), "lists_too_large"),
    ],
)
def test_malformed_and_oversized_zips_are_refused_though_signed(places, offered, signer, data, name):
    assert refused(offered(data), keys(signer)) == name


def test_a_zip_with_false_sizes_is_read_within_limits(places, offered, signer):
    data = packed({"risky/large.toml": b"#" * (loader.MAX_FILE_BYTES * 4)})
    size = (loader.MAX_FILE_BYTES * 4).to_bytes(4, "little")
    assert data.count(size) == 2
    assert refused(offered(data.replace(size, (9).to_bytes(4, "little"))), keys(signer)) in {
        "lists_malformed",
        "lists_too_large",
    }


def test_a_zip_with_duplicate_names_is_refused(places, offered, signer):
    out = io.BytesIO(packed())
    with zipfile.ZipFile(out, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("release.toml", "number = 1")
    assert refused(offered(out.getvalue()), keys(signer)) == "lists_malformed"


def test_an_oversized_file_is_refused(places, offered, signer, monkeypatch):
    monkeypatch.setattr(update, "MAX_ZIP_BYTES", 1000)
    assert refused(offered(), keys(signer)) == "lists_too_large"


def test_a_failed_write_leaves_the_active_lists(places, offered, signer):
    releases.updates_root().parent.mkdir(parents=True)
    releases.updates_root().write_text("a file where a folder should be")
    assert refused(offered(), keys(signer)) == "not_written"


def test_a_dangling_pointer_leaves_the_shipped_lists(places):
    releases.updates_root().mkdir(parents=True)
    for text in ("", "../../etc", "edition5", "\x00"):
        (releases.updates_root() / "current").write_text(text)
        assert releases.active_folder() == loader.shipped_folder()


def test_damaged_installed_lists_are_an_error(places, offered, signer):
    update.install_update(str(offered()), keys(signer))
    (releases.updated_folder() / "risky" / "secp-2024.toml").write_text("spoilt")
    with pytest.raises(KnowledgeError) as error:
        knowledge.load_knowledge()
    assert error.value.name == "knowledge_taken"
    assert error.value.values["path"] == str(releases.updated_folder())


# --- keys -----------------------------------------------------------------------------------------------------------


def test_without_a_trusted_key_an_update_is_refused(places):
    with pytest.raises(SignatureListError) as error:
        update.load_public_keys()
    assert error.value.name == "lists_no_key"
    assert str(error.value.values["path"]).startswith(str(places))


def test_keys_come_from_the_folder_and_from_arguments(places, signer):
    folder = releases.public_key_folder()
    folder.mkdir(parents=True)
    shutil.copy(signer.key, folder / "somebody.pub")
    (folder / "note.txt").write_text("no key")
    (configured,) = update.load_public_keys()
    assert update.load_public_keys([signer.key.read_text("utf-8").splitlines()[1]]) == (configured, configured)
    (folder / "broken.pub").write_text("no key")
    with pytest.raises(SignatureListError) as error:
        update.load_public_keys()
    assert error.value.name == "lists_key_unreadable"


@settings(max_examples=80, deadline=None)
@given(st.text(max_size=200))
def test_arbitrary_text_is_not_a_key_or_signature(text):
    with pytest.raises(minisign.MinisignError):
        minisign.parse_public_key(text)
    with pytest.raises(minisign.MinisignError):
        minisign.verify_signature(b"data", text, [])


def test_no_private_key_is_in_the_repository():
    root = Path(__file__).parent.parent.parent
    tracked = subprocess.run([need("git"), "ls-files"], cwd=root, capture_output=True, check=False, text=True)
    if tracked.returncode:
        pytest.skip("not a git checkout")
    secret = re.compile(r"minisign encrypted " + r"secret key|BEGIN [A-Z ]*PRIVATE " + "KEY")
    for name in tracked.stdout.splitlines():
        if (root / name).is_file():
            assert not secret.search((root / name).read_bytes().decode("utf-8", "ignore")), name


# --- over the network -----------------------------------------------------------------------------------------------


@pytest.fixture
def site(tmp_path):
    """A web server on loopback; `pages` maps a path to its bytes or to where it redirects."""
    pages: dict[str, bytes | str] = {}

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            page = pages.get(self.path)
            self.send_response(404 if page is None else 302 if isinstance(page, str) else 200)
            if isinstance(page, str):
                self.send_header("Location", page)
            self.end_headers()
            if isinstance(page, bytes):
                self.wfile.write(page)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield pages, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_lists_are_downloaded_from_a_url(run, site, offered, signer, home):
    pages, address = site
    path = offered(with_newcomer(), "-t", "lists of the day")
    pages |= {"/lists.zip": path.read_bytes(), "/lists.zip.minisig": path.with_name("lists.zip.minisig").read_bytes()}
    pages["/latest"] = f"{address}/lists.zip"
    pages["/latest.minisig"] = f"{address}/lists.zip.minisig"
    done = run("signatures", "update", f"{address}/latest", "--key", signer.key)
    assert done.code == 0, done.err
    assert f"This command now uses the network: {address}/latest" in done.err
    assert f"edition {NEWER} of 1 January 2099. Signed comment: lists of the day" in done.err
    assert "The published lists contain 2012 package names" in done.out
    shown = run("signatures", "show", "com.example.newcomer")
    assert "Securities and Exchange Commission of Pakistan" in shown.out
    again = run("signatures", "update", path, "--key", signer.key)
    assert again.code == 4
    assert "the network is not used" in again.err
    assert "not newer than the installed ones" in again.err


def test_a_failed_download_is_an_error(run, site, signer):
    pages, address = site
    for page in (None, "file:///etc/passwd", "ftp://127.0.0.1/x"):
        if page:
            pages["/lists.zip"] = page
        done = run("signatures", "update", f"{address}/lists.zip", "--key", signer.key)
        assert done.code == 4
        assert "could not be downloaded" in done.err


def test_an_endless_download_is_cut_off(site):
    pages, address = site
    pages["/long"] = b"x" * 5000
    with pytest.raises(SignatureListError) as error:
        update.download(f"{address}/long", 1000)
    assert error.value.name == "lists_too_large"


@pytest.mark.parametrize(
    "text", ["lists.zip", "C:\\lists.zip", "file:///lists.zip", "ftp://x/y", "/media/usb/lists.zip"]
)
def test_other_schemes_are_file_names(text):
    assert not update.is_url(text)


# --- folders --------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform in {"win32", "darwin"}, reason="XDG folders are those of Unix")
@pytest.mark.parametrize(
    ("variables", "lists", "keys"),
    [
        ({}, ".local/share/privaudit/lists", ".config/privaudit/keys"),
        ({"XDG_DATA_HOME": "/d", "XDG_CONFIG_HOME": "/c"}, "/d/privaudit/lists", "/c/privaudit/keys"),
        ({"XDG_DATA_HOME": "", "XDG_CONFIG_HOME": ""}, ".local/share/privaudit/lists", ".config/privaudit/keys"),
        # The XDG specification: a relative path is invalid and ignored.
        ({"XDG_DATA_HOME": "d", "XDG_CONFIG_HOME": "./c"}, ".local/share/privaudit/lists", ".config/privaudit/keys"),
    ],
    ids=["default", "XDG", "empty", "relative"],
)
def test_user_folders_follow_the_xdg_specification(places, monkeypatch, variables, lists, keys):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert releases.updates_root() == places / lists
    assert releases.public_key_folder() == places / keys


@pytest.mark.skipif(sys.platform != "darwin", reason="macOS")
def test_user_folders_on_macos(places):
    support = places / "Library" / "Application Support" / "privaudit"
    assert (releases.updates_root(), releases.public_key_folder()) == (support / "lists", support / "keys")


@pytest.mark.skipif(sys.platform != "win32", reason="Windows")
def test_user_folders_on_windows(monkeypatch):
    monkeypatch.setenv("WIN_PD_OVERRIDE_LOCAL_APPDATA", "C:\\L")
    monkeypatch.setenv("WIN_PD_OVERRIDE_APPDATA", "C:\\A")
    assert releases.updates_root() == Path("C:/L/privaudit/lists")
    assert releases.public_key_folder() == Path("C:/A/privaudit/keys")


def test_nobody_is_sent_to_lists_that_have_no_publisher(run):
    """There is no key and no default address, so neither the menu nor a README's table offers `signatures update`."""
    assert run("signatures", "update").code == 2  # the source is not optional
    for file in ("README.md", "README.zh.md", "privaudit/cli/menu.py"):
        text = (Path(__file__).parents[2] / file).read_text(encoding="utf-8")
        assert not re.search(r"privaudit signatures update|update_signatures", text), file
