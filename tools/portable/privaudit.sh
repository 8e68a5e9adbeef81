#!/bin/sh
# Starts privaudit from this folder, without anything else installed. The first start unpacks it; later ones are offline.
# Without arguments it opens the menu; `./privaudit.sh audit -o report.html` is `privaudit audit …`.
set -u

here=$(cd "$(dirname "$0")" && pwd -P) || exit 4
files=$here/files
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
  zh*) words=$files/words/zh ;;
  *) words=$files/words/en ;;
esac

# Ignore the settings that this computer has for uv.
for name in $(env | sed -n 's/^\(UV_[A-Z_]*\)=.*/\1/p'); do
  [ "$name" = UV_PYTHON_INSTALL_MIRROR ] || unset "$name"
done
export UV_NO_CONFIG=1 UV_NO_CACHE=1 UV_LINK_MODE=copy
export UV_PYTHON_INSTALL_DIR="$files/python" UV_PYTHON_INSTALL_BIN=0 UV_VENV_CLEAR=1

tell() { cat "$words/$1.txt" >&2; }

# If a double click opened this window, keep it open until its text has been read.
leave() {
  if [ "$asked" = menu ] && [ -t 0 ]; then
    tell close
    read -r _
  fi
  exit "$1"
}

runs() { [ -e "$files/ready/unpacked" ] && "$files/ready/bin/python" -c '' 2>/dev/null; }

# unpack OPTION…: create the environment, with a Python that uv finds or downloads by OPTION, and install privaudit in it.
unpack() {
  rm -f "$files/ready/unpacked"
  "$files/uv" venv --quiet "$@" "$files/ready" &&
    "$files/uv" pip install --quiet --offline --no-index --find-links "$files/wheels" \
      --python "$files/ready/bin/python" privaudit &&
    : >"$files/ready/unpacked"
}

asked=menu
[ $# -eq 0 ] || asked=command

if ! runs; then
  tell first
  if ! "$files/uv" --version >/dev/null 2>&1 || ! : >"$files/writable"; then
    tell place
    leave 4
  fi
  rm -f "$files/writable"
  if ! unpack --no-python-downloads --python '>=3.11,<3.15'; then
    tell fetch
    if ! unpack --managed-python --python 3.13; then
      tell failed
      leave 4
    fi
  fi
fi

"$files/ready/bin/python" -m privaudit "$@"
leave $?
