#!/usr/bin/env bash
# Writes what a release says about its contents, into the folder of its wheel: a bill of materials of the installation and
# of the page (CycloneDX), and the licences with their texts. Ends with an error for a licence that is not in the list.
#
#     tools/release/describe.sh DIST
set -euo pipefail
dist=$(cd "$1" && pwd)
cd "$(dirname "$0")/../.."
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1

python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install --quiet --requirement tools/release/requirements.txt
# Without pip: what is listed is what runs.
python3 -m venv --without-pip "$scratch/runtime"
install() { "$scratch/tools/bin/pip" --python "$scratch/runtime/bin/python" install --quiet "$@"; }
install --require-hashes --requirement tools/portable/locked.txt
install --no-deps "$dist"/privaudit-*.whl

cyclonedx() { "$scratch/tools/bin/cyclonedx-py" "$@" --output-reproducible --spec-version 1.6; }
cyclonedx environment "$scratch/runtime/bin/python" --pyproject pyproject.toml --output-file "$dist/privaudit.cdx.json"
cyclonedx requirements tools/browser/locked.txt --pyproject pyproject.toml --output-file "$dist/privaudit-page.cdx.json"
"$scratch/tools/bin/python" tools/release/add_components.py "$dist/privaudit.cdx.json" installation
"$scratch/tools/bin/python" tools/release/add_components.py "$dist/privaudit-page.cdx.json" page

licences() { "$scratch/tools/bin/pip-licenses" --python "$scratch/runtime/bin/python" --from=mixed "$@"; }
# androguard calls its Apache License "other" in its classifier.
licences --partial-match --allow-only='Apache;BSD;ISC;LGPL-2.1-or-later;MIT;PSF' --ignore-packages androguard >"$scratch/list"
licences --format=plain-vertical --with-license-file --no-license-path >"$dist/LICENCES.txt"
echo "$(grep -c '"bom-ref": "' "$dist/privaudit.cdx.json") components, $(($(wc -l <"$scratch/list") - 1)) licences agreed to"
