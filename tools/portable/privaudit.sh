#!/bin/sh
# Starts privaudit from this folder, with the Python in it: nothing is installed, unpacked or fetched.
# Without arguments it opens the menu; `./privaudit.sh audit -o report.html` is `privaudit audit …`.
set -u

here=$(cd "$(dirname "$0")" && pwd -P) || exit 4
python=$here/files/python/bin/python3
case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
  zh*) language=zh ;;
  *) language=en ;;
esac

# Ignore what this computer says about its own Python, here and in every process that privaudit starts.
unset PYTHONHOME PYTHONPATH
export PYTHONNOUSERSITE=1 PYTHONSAFEPATH=1

# If a double click opened this window, keep it open until its text has been read.
leave() {
  if [ "$asked" = menu ] && [ -t 0 ]; then
    say_close_$language
    read -r _
  fi
  exit "$1"
}

say_blocked_linux_en() {
  cat >&2 <<'END'
@blocked_linux.en@
END
}
say_blocked_linux_zh() {
  cat >&2 <<'END'
@blocked_linux.zh@
END
}
say_close_en() {
  cat >&2 <<'END'
@close.en@
END
}
say_close_zh() {
  cat >&2 <<'END'
@close.zh@
END
}

asked=menu
[ $# -eq 0 ] || asked=command

# The libraries beside it need glibc 2.28.
if ! "$python" -c '
import os
raise SystemExit([int(part) for part in os.confstr("CS_GNU_LIBC_VERSION").split()[1].split(".")] < [2, 28])
' 2>/dev/null; then
  say_blocked_linux_$language
  leave 4
fi

# Ctrl-C is for privaudit, and must not end this script, which keeps the window open. A trap that runs a command is not
# inherited.
trap : INT
"$python" -m privaudit "$@"
leave $?
