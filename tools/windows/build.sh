#!/usr/bin/env bash
# Builds a Windows to test in: Debian 13 with Wine 10 in a folder (Debian 12's Wine 8 cannot run Python), a Windows CPython
# from PyPI, and the libraries of the suite for it. Needs root, mmdebstrap, Debian's mirror and PyPI; 2 minutes, 2 GB.
#   tools/windows/build.sh PYTHON_OF_THE_CHECKOUT
# PRIVAUDIT_LAB says where; what is there already is not built again.
set -euo pipefail
python=${1:?the Python of the checkout, with uv}
here=$(cd "$(dirname "$0")" && pwd)
lab=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}
root=$lab/windows
# Built from what these say now?
stamp=$(cat "$here"/{build.sh,pythons.txt,repack.py} | sha256sum)
if [[ -e $root/.built && $(<"$root/.built") = "$stamp" ]]; then
  exit 0
fi
((EUID == 0)) || { echo "windows: changing the root folder needs root" >&2 && exit 2; }
command -v mmdebstrap >/dev/null || { echo "windows: needs mmdebstrap (apt-get install mmdebstrap)" >&2 && exit 2; }

rm -rf --one-file-system "$root"
mkdir -p "$lab"
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | grep -m1 debian || true)
# locales: without one, Wine cannot name files in Chinese.
mmdebstrap --quiet --mode=root --variant=minbase --include=wine,wine64,locales trixie "$root" \
  "${mirror:-http://deb.debian.org/debian}"
chroot "$root" localedef --inputfile zh_CN --charmap UTF-8 zh_CN.UTF-8

mkdir "$root/w" "$root/w/sdists"
"$python" -m pip --quiet --disable-pip-version-check download --no-deps --no-binary :all: --require-hashes \
  --dest "$root/w/sdists" --requirement "$here/pythons.txt"
"$python" "$here/repack.py" "$root/w/sdists" "$root/w/python" "$root/w/embeddable.zip"
rm -r "$root/w/sdists"
# uv, because pip takes the markers of the system that it runs on. adb-shell is published only as source.
"$python" -m uv pip install --quiet --python-platform windows --python-version 3.13 --only-binary :all: \
  --no-binary adb-shell --target "$root/w/python/Lib/site-packages" --requirements "$here/../../pyproject.toml" \
  androguard 'dask[distributed]' duckdb hatchling hypothesis jsonschema packaging pyte pytest pytest-timeout pytest-xdist
"$here/enter.sh" / sh -c 'wineboot --init && wineserver --wait' >/dev/null 2>&1
echo "$stamp" >"$root/.built"
