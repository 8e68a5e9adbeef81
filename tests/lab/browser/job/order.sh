# One order of the driver: a line of shell with the functions of phone.sh.
. /opt/guest/phone.sh
read -r line
eval "$line" 2>&1
echo "done $?"
