# What `make lab-usb` does: each row of the table of errors that a cable can show, and what must work in spite of it.
# Every line says what was expected and what came; the number of those that differ is the result.
failed=0
probe() { python3 /job/probe.py "$@" 2>&1; }

# expect NAME PATTERN COMMAND...
expect() {
  local name=$1 pattern=$2 came
  shift 2
  came=$("$@" 2>&1)
  if [[ $came =~ $pattern ]]; then
    say "ok      $name: $(echo "$came" | tail -n 1)"
  else
    say "FAILED  $name: wanted $pattern, came: $came"
    failed=$((failed + 1))
  fi
}

fine="'out\\\\n' b'err\\\\n' 7"

say "== nothing is plugged in"
expect "no phone" '^no_phone' probe usb
expect "no phone, listed" 'No phone is to be seen' python3 -m privaudit devices --lang en

say "== a phone that does not know this computer"
phone_on "allow 2"
expect "not asked by the list" 'does not know this computer yet' python3 -m privaudit devices --lang en
expect "allowed late" "^via usb; asked; b$fine" probe usb
answer cancel
replug
expect "cancelled" '^not_allowed asked' probe usb --wait 4
answer ignore
replug
expect "ignored" '^not_allowed asked' probe usb --wait 4
answer cancel # what still stands on the phone
sleep 1
answer always
replug
expect "always" "^via usb; asked; b$fine" probe usb
expect "remembered" "^via usb; not asked; b$fine" probe usb
expect "listed as ready" 'Lab phone .*ready' python3 -m privaudit devices --lang en

say "== high speed: requests around a full packet"
sizes="--size 510 --size 511 --size 512 --size 513 --size 1023 --size 1024 --size 1025 --size 2048"
expect "lengths" "'492 bytes' .*'493 bytes' .*'494 bytes' .*'495 bytes' .*'1006 bytes' .*'2030 bytes' b'' 0$" probe usb $sizes

say "== twenty visits one after another"
connected=0
for _ in $(seq 20); do
  [[ $(probe usb) == "via usb; not asked"* ]] && connected=$((connected + 1))
done
expect "all connect" '^20 of 20' echo "$connected of 20"

say "== ordinary people"
mkdir -p /tmp/person
cp -r /root/.android /tmp/person/
chown -R 65534:65534 /tmp/person
expect "with rights" "^via usb; not asked; b$fine" person python3 /job/probe.py usb
expect "without rights" '^no_permission' stranger python3 /job/probe.py usb
expect "without rights, listed" 'no permission' stranger python3 -m privaudit devices --lang en

say "== another program has the phone"
adb start-server >/dev/null 2>&1
adb wait-for-device
expect "busy" '^busy' probe usb
expect "through its server" "^via server; not asked; b$fine" probe auto
expect "listed once" 'through the ADB server' python3 -m privaudit devices --lang en
adb kill-server
sleep 2
expect "free again" "^via usb; not asked; b$fine" probe usb

say "== the cable is pulled in the middle"
rm -f /tmp/now
(
  until [ -e /tmp/now ]; do sleep 0.1; done
  sleep 1
  unplug
) &
expect "keeps what came" "^lost after b'one" probe usb --command "touch /tmp/now; echo one; sleep 30"
expect "gone" '^no_phone' probe usb
plug
sleep 1
expect "back" "^via usb; not asked; b$fine" probe usb

say "== adbd hangs"
daemon=$(pgrep -x adbd | head -n 1)
kill -STOP "$daemon"
expect "silent" '^(silent|lost)' probe usb
kill -CONT "$daemon"
sleep 2
expect "awake" "^via usb; not asked; b$fine" probe usb

say "== USB debugging is off"
debugging_off
expect "off" '^debugging_off' probe usb
expect "off, listed, in its maker's words" 'MIUI version' python3 -m privaudit devices --lang en
phone_off

say "== full speed: requests around a full packet"
SPEED=full PORTS=2 phone_on always
expect "lengths" "'45 bytes' .*'46 bytes' .*'47 bytes' .*'110 bytes' .* 0$" \
  probe usb --size 62 --size 63 --size 64 --size 65 --size 127 --size 128 --size 129

say "== two phones"
second_phone_on
expect "several" '^several_phones' probe usb
expect "one of them" "^via usb; not asked; b$fine" probe usb --serial 6789
expect "the other" "^via usb; not asked; b$fine" probe usb --serial 3210
expect "both listed" '--serial' python3 -m privaudit devices --lang en

say "$failed differ"
[ "$failed" -eq 0 ]
