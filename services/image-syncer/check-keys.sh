#!/bin/sh
# Whether the file of the keys is there, for root alone, and has both. It is read by systemd-nspawn, and copied nowhere.
# check-keys.sh FILE
set -eu
file=$1

fail() {
	echo "$1" >&2
	exit 1
}

[ -e "$file" ] || fail "there are no keys: write $file, mode 600, with the lines
access_key_id = …
secret_access_key = …"
case $(stat -L -c %a "$file") in
*00) ;;
*) fail "other users can read the keys: chmod 600 $file" ;;
esac
for key in access_key_id secret_access_key; do
	grep -q "^$key *= *[^ ]" "$file" || fail "$file has no line $key = …"
done
