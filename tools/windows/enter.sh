#!/usr/bin/env bash
# Runs a command in the Windows of build.sh: Chinese, code page 936, no network. Nothing that it starts outlives it.
#   tools/windows/enter.sh FOLDER COMMAND…
set -euo pipefail
root=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}/windows
((EUID == 0)) || { echo "windows: changing the root folder needs root" >&2 && exit 2; }
folder=$1
shift
# What is mounted, is so in a namespace that ends with the command. Wine prints more than it helps.
# shellcheck disable=SC2016 # the shell inside reads them
exec unshare --mount --pid --net --fork --kill-child sh -c '
  root=$0 folder=$1
  shift
  mount -t proc proc "$root/proc" && ip link set lo up &&
    exec chroot "$root" env --ignore-environment --chdir "$folder" HOME=/root XDG_RUNTIME_DIR=/tmp PATH=/usr/bin:/bin \
      LANG=zh_CN.UTF-8 WINEPREFIX=/w/prefix WINEARCH=win64 WINEDEBUG=-all "$@"
' "$root" "$folder" "$@"
