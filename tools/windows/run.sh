#!/usr/bin/env bash
# Tests privaudit on Windows, without Windows: under Wine, in Chinese, without a network.
#   run.sh PYTHON_OF_THE_CHECKOUT smoke             every command of the portable folder, whose path has blanks and Chinese
#   run.sh PYTHON_OF_THE_CHECKOUT suite [ARGUMENT…] the tests that are not marked `unix`; arguments go to pytest
# What is tested is the working tree, committed or not.
set -euo pipefail
python=${1:?the Python of the checkout, with uv}
what=${2:?smoke or suite}
shift 2
cd "$(dirname "$0")/../.."
root=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}/windows
mkdir -p "${root%/*}"
exec 9>"$root.lock"
flock 9 # one at a time: they share the folder, and Wine's registry
tools/windows/build.sh "$python"

rm -rf "$root/w/repo"
mkdir "$root/w/repo"
git ls-files -z --cached --others --exclude-standard --deduplicate |
  tar --create --null --ignore-failed-read --files-from - 2>/dev/null | tar --extract --directory "$root/w/repo"

began=$SECONDS
case $what in
  smoke)
    stick="$root/w/a stick 手机检查"
    rm -rf "$stick" && mkdir "$stick"
    "$python" tools/portable/build.py windows --windows-python "$root/w/embeddable.zip" \
      --sha256 "$(sha256sum <"$root/w/embeddable.zip" | cut -d' ' -f1)" --dist "$root/w"
    "$python" -m zipfile --extract "$root"/w/privaudit-*-windows.zip "$stick"
    mv "$stick"/privaudit-* "$stick/privaudit"
    # The other Python runs what plays the user.
    tools/windows/enter.sh / wine /w/python/python.exe -X utf8 'Z:\w\repo\tools\portable\smoke.py' \
      'Z:\w\repo\privaudit\virtual_phone\apks.zip' 'Z:\w\a stick 手机检查\privaudit\privaudit.cmd'
    ;;
  suite)
    "$python" -m uv build --quiet --wheel --out-dir "$root/w/dist" .
    "$python" -m uv pip install --quiet --python-platform windows --python-version 3.13 --no-deps --reinstall \
      --target "$root/w/python/Lib/site-packages" "$root"/w/dist/*.whl
    rm -r "$root/w/dist"
    (($#)) || set -- tests
    # Wine does not say how many processors there are.
    tools/windows/enter.sh /w/repo env PYTHON_CPU_COUNT="$(nproc)" wine /w/python/python.exe -m pytest -p no:cacheprovider -m 'not unix' --timeout 300 \
      --numprocesses "$(nproc)" --ignore tests/browser --ignore tests/lab "$@"
    ;;
esac
echo "windows: $what, $((SECONDS - began)) s"
