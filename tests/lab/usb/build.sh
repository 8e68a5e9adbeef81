#!/usr/bin/env bash
# What the virtual machine needs beside the phone's files (build.sh usb calls this): ROOT LAB
#   a kernel, a first file system that lays ROOT under memory, and what privaudit imports, for ROOT's own Python.
set -euo pipefail
root=$1 lab=$2
here=$(cd "$(dirname "$0")" && pwd)

python=$(chroot "$root" python3 -c 'import sys; print("%d.%d" % sys.version_info[:2])')
wheels=()
for tag in manylinux_2_34 manylinux_2_28 manylinux_2_17 manylinux2014; do wheels+=(--platform "${tag}_x86_64"); done
site=$root/opt/site
python3 -m pip install --quiet --disable-pip-version-check --target "$site" --python-version "$python" "${wheels[@]}" \
  --platform any --only-binary=:all: libusb1 libusb-package cryptography rsa pyasn1 pydantic typer rich asn1crypto jinja2 markupsafe 2>/dev/null
python3 -m pip install --quiet --disable-pip-version-check --target "$site" --no-deps adb-shell==0.4.4 2>/dev/null
chroot "$root" python3 -m compileall -q /opt/site # in emulation, compiling at each start would take most of the time

kernel=$(basename "$root"/lib/modules/*)
cp "$root/boot/vmlinuz-$kernel" "$lab/vmlinuz"
chroot "$root" depmod "$kernel"

first=$(mktemp -d)
trap 'rm -rf "$first"' EXIT
mkdir -p "$first"/{bin,modules,proc,sys,dev,lower,memory,root}
cp /bin/busybox "$first/bin/"
number=10
for module in virtio_pci 9pnet_virtio 9p overlay; do
  chroot "$root" modprobe --set-version "$kernel" --show-depends "$module" | awk '/^insmod/ { print $2 }'
done | awk '!seen[$0]++' | while read -r file; do
  case $file in
  *.xz) xz -dc "$root$file" >"$first/modules/$number-$(basename "${file%.xz}")" ;;
  *) cp "$root$file" "$first/modules/$number-$(basename "$file")" ;;
  esac
  number=$((number + 1))
done
cat >"$first/init" <<'INIT'
#!/bin/busybox sh
b=/bin/busybox
$b mount -t proc proc /proc
$b mount -t sysfs sys /sys
$b mount -t devtmpfs dev /dev
for file in /modules/*.ko; do $b insmod "$file"; done
$b mount -t 9p -o trans=virtio,version=9p2000.L,msize=512000,cache=loose,ro root /lower
$b mount -t tmpfs memory /memory
$b mkdir /memory/changed /memory/work
$b mount -t overlay -o lowerdir=/lower,upperdir=/memory/changed,workdir=/memory/work root /root
for folder in dev sys proc; do $b mount --move /$folder /root/$folder; done
exec $b switch_root /root /opt/guest/init
INIT
chmod +x "$first/init"
(cd "$first" && find . | cpio --create --format=newc --quiet | gzip -1) >"$lab/initrd.gz"
rm -rf "$root/opt/guest"
cp -r "$here/guest" "$root/opt/guest"
