#!/usr/bin/env bash
# Boots the virtual machine, runs JOB (a folder with job.sh) in it as root, prints what it says, and ends as it did.
#   run.sh JOB
# The repository is at /project, read-only; JOB at /job. Software emulation: no /dev/kvm is needed, and speeds mean nothing.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
job=$(realpath "$1")
project=$(cd "$here/../../.." && pwd)
lab=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
share() { echo "local,path=$1,mount_tag=$2,security_model=none,multidevs=remap,readonly=on"; }
timeout "${MINUTES:-20}m" qemu-system-x86_64 -accel tcg,thread=multi -cpu max -m 768 -smp 2 \
  -nodefaults -nographic -serial stdio -nic none -no-reboot \
  -kernel "$lab/vmlinuz" -initrd "$lab/initrd.gz" -append "console=ttyS0 quiet loglevel=3 panic=-1" \
  -virtfs "$(share "$lab/usb" root)" -virtfs "$(share "$job" job)" -virtfs "$(share "$project" project)" </dev/null 2>&1 |
  sed -u 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r$//; /^\(c\|.*SeaBIOS.*\|Booting from.*\|\)$/d' | tee "$log"
exit "$(awk '/^job ended with /{ code = $4 } END { print code == "" ? 99 : code }' "$log")"
