#!/usr/bin/env bash
# Boots the virtual machine with a phone and Chromium, and drives the page in it: run.sh PAGE DRIVER...
#   PAGE is the built file; DRIVER is a command that finds Chromium at $CHROMIUM and the phone's orders at $ORDERS.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
project=$(cd "$here/../../.." && pwd)
lab=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}
scratch=$(mktemp -d)
mkdir "$scratch/page"
touch "$scratch/log"
cp "$1" "$scratch/page/privaudit.html"
shift
cp -r "$here/job" "$scratch/job"
share() { echo "local,path=$1,mount_tag=$2,security_model=none,multidevs=remap,readonly=on"; }
# pku: Chromium's renderer crashes with the emulated one.
timeout "${MINUTES:-55}m" qemu-system-x86_64 -accel tcg,thread=multi -cpu max,-pku -m 3000 -smp 2 \
  -nodefaults -nographic -serial stdio -no-reboot \
  -nic user,model=virtio-net-pci,restrict=on,hostfwd=tcp:127.0.0.1:7610-10.0.2.15:9223,hostfwd=tcp:127.0.0.1:7611-10.0.2.15:9300 \
  -kernel "$lab/vmlinuz" -initrd "$lab/initrd.gz" -append "console=ttyS0 quiet loglevel=3 panic=-1" \
  -virtfs "$(share "$lab/browser" root)" -virtfs "$(share "$scratch/job" job)" -virtfs "$(share "$project" project)" \
  -virtfs "$(share "$scratch/page" page)" </dev/null >"$scratch/log" 2>&1 &
machine=$!
trap 'kill $machine 2>/dev/null; rm -rf "$scratch"' EXIT
until grep -q "ready for the driver" "$scratch/log"; do
  kill -0 $machine 2>/dev/null || { cat "$scratch/log"; exit 99; }
  sleep 1
done
sed 's/\x1b\[[0-9;?]*[A-Za-z]//g; s/\r$//' "$scratch/log"
CHROMIUM=http://127.0.0.1:7610 ORDERS=127.0.0.1:7611 "$@"
