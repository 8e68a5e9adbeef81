"""What the commands about APK files say of themselves, and while they run, in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from privaudit.language import Sentence

WORDS: Final[Mapping[str, Sentence]] = {
    "apk": "Vet APK files before anybody installs them: what they may ask for, who lists them. Folders too.",
    "files": "An APK, a bundle (.xapk, .apks, .apkm), or folders of them. Folders are read by all cores.",
    "installed": "Vet this installed app instead, over the cable: its package name.",
    "output": (
        "Write about one file as .html, .json or .txt; or lines of JSON about many as .jsonl. To lines that are there"
        " already more are added; files that are in them and have not changed are not read again."
    ),
    "json": "Write a line of JSON for each file to standard output.",
    "scheduler": (
        "Let a Dask cluster do the work (HOST:PORT of its scheduler); it must see the files under the same paths."
        " Opens a connection to it."
    ),
    "draft": "Write [[app]] rows of a list from APK files, to be completed with a source.",
    "draft_files": "APK files or bundles.",
    "draft_output": "The file to write; else standard output.",
    "schema_apk": "The schema of the lines that “privaudit apk” writes.",
    # While running.
    "starting": "privaudit {version}: reads files only. Nothing in them is run, and no network is used.",
    "starting_phone": "privaudit {version}: reads an app's file on the phone. Nothing is changed there.",
    "starting_cluster": (
        "privaudit {version}: opens a connection to the cluster at {address}. Paths, lists and results go over it;"
        " use a network that you trust."
    ),
    "fetching": "Reading the app's file. This can take some minutes; leave the cable in.",
    "vetted": "{done} of {total} files",
    "stopped": "Stopped. What was done is in {path}; the same command goes on with the rest.",
    "stopped_lost": "Stopped. To be able to go on next time, write the lines: -o results.jsonl",
    "not_drafted": "{path} was left out: {why}.",
    "draft_head": "Rows from APK files. Complete: a [source] head with publisher, title, address and date, or move",
    "draft_head_2": "the rows into a list that has one. Keep only what the source says; see signatures/README.md.",
    "draft_from": "from {path}, version {version}",
    "draft_key": "no certificate: this one is of a key that everybody has",
}
