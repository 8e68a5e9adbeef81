#!/usr/bin/env bash
# Builds the laboratory: a phone's own adbd, shell and tools, out of Debian packages. Needs root, and Debian's mirror.
#   build.sh tcp     reached over loopback: 10 s, 60 MB
#   build.sh usb     reached over a virtual USB bus in a virtual machine: some minutes, 1 GB
#   build.sh browser the same with Chromium in the virtual machine, for the page: some minutes more, 2 GB
# PRIVAUDIT_LAB says where; what is there already is not built again.
set -euo pipefail
kind=${1:?tcp, usb or browser}
here=$(cd "$(dirname "$0")" && pwd)
lab=${PRIVAUDIT_LAB:-${TMPDIR:-/tmp}/privaudit-lab}
root=$lab/$kind
[[ -e $root/.built ]] && exit 0
export DEBIAN_FRONTEND=noninteractive
mirror=$(apt-get indextargets --format '$(SITE)' 'Created-By: Packages' | grep -v security | grep -m1 debian || true)
mirror=${mirror:-http://deb.debian.org/debian}
# adbd is AOSP's own code since Debian 13 (trixie); mksh and toybox are Android's shell and tools.
suite=trixie
phone=adbd,mksh,toybox

need() {
  local missing=()
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}\n' "$package" 2>/dev/null | grep -q '^install ok installed' || missing+=("$package")
  done
  ((${#missing[@]} == 0)) || apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}

rm -rf "$root"
mkdir -p "$lab"
need mmdebstrap gcc libc6-dev
if [[ $kind = tcp ]]; then
  mmdebstrap --quiet --mode=root --variant=extract --include="$phone",coreutils "$suite" "$root" "$mirror"
  for folder in bin sbin lib lib64; do # what base-files would do
    [[ -e $root/$folder ]] || ln -s "usr/$folder" "$root/$folder"
  done
else
  need qemu-system-x86 cpio busybox-static
  [[ $kind = usb ]] || phone=$phone,chromium,fonts-dejavu-core,fonts-wqy-zenhei,socat,dbus
  mmdebstrap --quiet --mode=root --variant=minbase \
    --include="$phone",adb,python3,python3-venv,udev,kmod,procps,iproute2,libusb-1.0-0,android-sdk-platform-tools-common,linux-image-amd64 \
    "$suite" "$root" "$mirror"
  grep -q '^plugdev:' "$root/etc/group" || chroot "$root" groupadd --system plugdev
fi

# The places that Android has.
ln -sf mksh "$root/usr/bin/sh"
mkdir -p "$root"/{proc,sys,dev,tmp,system,sdcard,opt,root,usr/local/bin,data/misc/adb,data/local/tmp,data/app}
ln -sfn /usr/bin "$root/system/bin"
for tool in $(chroot "$root" toybox); do # Debian leaves some out; coreutils stand in for these
  case $tool in sh | toybox | mount | umount | su | login | chroot) ;; *) [[ $kind != tcp ]] || ln -sf toybox "$root/usr/bin/$tool" ;; esac
done

gcc -shared -fPIC -O2 -Wall -o "$root/opt/adbd_glue.so" "$here/adbd_glue.c" -ldl
python3 "$here/ask_again.py" "$root/usr/lib/android-sdk/platform-tools/adbd" "$root/opt/adbd"

if [[ $kind = browser ]]; then
  mkdir -p "$root/opt/phone"
  gcc -static -O2 -Wall -o "$root/opt/phone/program" "$here/browser/program.c"
fi
if [[ $kind != tcp ]]; then
  "$here/usb/build.sh" "$root" "$lab"
fi
touch "$root/.built"
du -sh "$root"
