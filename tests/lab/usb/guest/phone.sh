# A phone on a virtual bus: dummy_hcd (a USB host and a device port in one), FunctionFS, and AOSP's adbd on it.
# Jobs source this. SPEED: high (default), full. SERIAL: its serial number.
export PYTHONPATH=/opt/site:/opt/project NO_COLOR=1 ANDROID_ADB_SERVER_PORT=5037
gadget=/sys/kernel/config/usb_gadget/g1

say() { echo "[$(cut -d' ' -f1 /proc/uptime)] $*"; }

udc() { cat "$1/UDC" 2>/dev/null; }

# Android binds the gadget again whenever adbd has opened its endpoints; here this loop does, unless the cable is out.
keep_bound() {
  while :; do
    [ -e /tmp/out ] || { [ -z "$(udc $gadget)" ] && [ -e /dev/usb-ffs/adb/ep2 ] && echo dummy_udc.0 >$gadget/UDC; } 2>/dev/null
    sleep 0.1
  done
}

wait_until_seen() {
  for _ in $(seq 100); do
    grep -qs configured /sys/class/udc/dummy_udc.0/state && break
    sleep 0.1
  done
  udevadm settle --timeout=5
}

# phone_on ANSWER: what its owner does about "Allow USB debugging?", see owner.py
phone_on() {
  [ -d /sys/bus/usb ] || modprobe usbcore
  pgrep -x systemd-udevd >/dev/null || /usr/lib/systemd/systemd-udevd --daemon
  case ${SPEED:-high} in high) speed=is_high_speed=1 ;; full) speed=is_high_speed=0 ;; esac
  modprobe dummy_hcd $speed num=${PORTS:-1}
  modprobe libcomposite
  mountpoint -q /sys/kernel/config || mount -t configfs none /sys/kernel/config
  echo 0123456789abcdef0123456789abcdef >/etc/machine-id
  /usr/lib/android-sdk/platform-tools/adbd-usb-gadget setup
  echo "${SERIAL:-LAB0123456789}" >$gadget/strings/0x409/serialnumber
  echo "Lab phone" >$gadget/strings/0x409/product
  echo 0x4ee7 >$gadget/idProduct # with Google's number: "charging and debugging", which Debian's udev rules know
  answer "$1"
  python3 /opt/guest/owner.py /opt/adbd &
  owner=$!
  keep_bound &
  binder=$!
  wait_until_seen
}

# Everything of the phone away, so that another can be made.
phone_off() {
  unplug
  kill $binder $owner 2>/dev/null
  pkill -x adbd 2>/dev/null
  wait $binder $owner 2>/dev/null
  umount /dev/usb-ffs/adb 2>/dev/null
  rm -f $gadget/configs/c.1/ffs.adb
  rmdir $gadget/configs/c.1/strings/0x409 $gadget/configs/c.1 $gadget/functions/* $gadget/strings/0x409 $gadget 2>/dev/null
  rmmod usb_f_fs dummy_hcd 2>/dev/null
  rm -f /tmp/out
}

answer() { echo "$1" >/tmp/answer; }
unplug() { touch /tmp/out; echo "" >$gadget/UDC 2>/dev/null; }
plug() { rm -f /tmp/out; sleep 0.5; wait_until_seen; }
replug() { unplug; sleep 0.5; plug; sleep 1; }

# USB debugging off: the phone offers files only (MTP's interface numbers on a function that does nothing).
debugging_off() {
  kill $binder
  unplug
  rm $gadget/configs/c.1/ffs.adb
  mkdir -p $gadget/functions/acm.0
  ln -s $gadget/functions/acm.0 $gadget/configs/c.1
  echo 0x2717 >$gadget/idVendor
  echo dummy_udc.0 >$gadget/UDC
  sleep 1.5
}

# A person with the rights that Debian's udev rules give, and one without.
person() { setpriv --reuid=65534 --regid=65534 --groups="$(getent group plugdev | cut -d: -f3)" env HOME=/tmp/person "$@"; }
stranger() { setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/tmp/person "$@"; }

# A second phone beside the first (PORTS=2), of the same owner: its own FunctionFS, and its own places for adbd.
second_phone_on() {
  local second=/sys/kernel/config/usb_gadget/g2
  mkdir -p $second/strings/0x409 $second/configs/c.1/strings/0x409 $second/functions/ffs.second
  echo 0x18d1 >$second/idVendor
  echo 0x4ee7 >$second/idProduct
  echo LAB9876543210 >$second/strings/0x409/serialnumber
  echo "Other phone" >$second/strings/0x409/product
  ln -s $second/functions/ffs.second $second/configs/c.1/
  unshare --mount --propagation private sh -c '
    umount /dev/usb-ffs/adb
    mount -t functionfs second /dev/usb-ffs/adb
    mount -t tmpfs sockets /dev/socket
    exec python3 /opt/guest/owner.py /opt/adbd' &
  for _ in $(seq 100); do
    echo dummy_udc.1 >$second/UDC 2>/dev/null
    grep -qs configured /sys/class/udc/dummy_udc.1/state && break
    sleep 0.2
  done
  udevadm settle --timeout=5
}
