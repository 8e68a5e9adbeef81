# What `make lab-browser` runs in the virtual machine: the phone on its bus, and Chromium, which the driver outside controls.
modprobe virtio_net
sleep 1
for device in /sys/class/net/e*; do
  ip link set "${device##*/}" up
  ip addr add 10.0.2.15/24 dev "${device##*/}"
done
python3 /job/programs.py borrower &
for _ in $(seq 300); do
  [ -S /run/programs ] && break
  sleep 0.2
done
# The page may use every phone: the policy stands for the person who chooses it in the browser's list.
mkdir -p /etc/chromium/policies/managed
echo '{"WebUsbAllowDevicesForUrls": [{"devices": [{}], "urls": ["http://127.0.0.1:8000"]}]}' >/etc/chromium/policies/managed/usb.json
(cd /page && exec python3 -m http.server --bind 127.0.0.1 8000 >/tmp/http.log 2>&1) &
# Orders of the driver, one line each: functions of phone.sh.
socat TCP-LISTEN:9300,fork,reuseaddr EXEC:"bash /job/order.sh" &
socat TCP-LISTEN:9223,fork,reuseaddr TCP:127.0.0.1:9222 &
PATH=/opt/phone/bin:$PATH phone_on "allow 2"
dbus-uuidgen --ensure
mkdir -p /run/dbus
dbus-daemon --system --fork
chromium --version
# --no-wasm-tier-up: under emulation a second compiler takes longer than it saves.
# --single-threaded: with code made on several threads, the emulated renderer crashes in one run of two.
chromium --headless=new --no-sandbox --js-flags="--no-wasm-tier-up --single-threaded" --disable-gpu --no-first-run --user-data-dir=/tmp/profile \
  --remote-debugging-port=9222 --remote-allow-origins='*' about:blank >/tmp/chromium.log 2>&1 &
for _ in $(seq 300); do
  python3 -c 'import socket; socket.create_connection(("127.0.0.1", 9222), 1)' 2>/dev/null && break
  sleep 0.5
done
say "ready for the driver"
until [ -e /tmp/finished ]; do sleep 1; done
tail -n 5 /tmp/chromium.log
[ "$(cat /tmp/finished)" = 0 ]
