#!/bin/sh
# Makes what the image server needs on this host, where it is not there yet: a CA, a certificate, a user with a password made by chance.
# What is there stays; a certificate is made anew 30 days before its end, or if the names have changed.
# provision.sh FOLDER HOST_NAME USERNAME USER_FILE [OTHER_NAME...]
set -eu
umask 077

folder=$1 host=$2 username=$3 user_file=$4
shift 4

command -v openssl >/dev/null || {
	echo "openssl is needed to make keys and certificates: apt-get install openssl" >&2
	exit 1
}

# Whole or not at all: written aside, then renamed. Content comes from standard input.
write() { # PATH MODE
	cat >"$1.new"
	chmod "$2" "$1.new"
	mv "$1.new" "$1"
}

for path in /etc/nspawn /etc/nspawn/hatch /etc/nspawn/config.d "$folder"; do
	[ -d "$path" ] || mkdir -m 755 "$path"
done
[ -d "$folder/tls" ] || mkdir -m 700 "$folder/tls"

# What openssl says is of interest only if it fails.
quietly() {
	said=$("$@" 2>&1) || {
		echo "$said" >&2
		exit 1
	}
}

work=$(mktemp -d "$folder/tmp.XXXXXX")
trap 'rm -rf "$work"' EXIT

# The CA: its key stays on the host, the machine never sees it.
if ! [ -e "$folder/ca.crt" ]; then
	quietly openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 7300 \
		-subj "/CN=nspawn image-server CA" -addext "keyUsage=critical,keyCertSign,cRLSign" \
		-keyout "$folder/ca.key" -out "$work/ca.crt"
	write "$folder/ca.crt" 644 <"$work/ca.crt"
	echo "made a CA: $folder/ca.crt"
fi

# Names of the certificate.
names="DNS:localhost,IP:127.0.0.1,IP:::1"
for name in "$host" "$@"; do
	case $name in
	localhost | 127.0.0.1 | ::1) ;;
	*:*) names="$names,IP:$name" ;;
	*[!0-9.]*) names="$names,DNS:$name" ;;
	*) names="$names,IP:$name" ;;
	esac
done

is_good() {
	[ -e "$folder/tls/server.pem" ] && [ "$(cat "$folder/names" 2>/dev/null)" = "$names" ] &&
		openssl x509 -noout -checkend 2592000 -in "$folder/tls/server.pem" >/dev/null &&
		openssl verify -CAfile "$folder/ca.crt" "$folder/tls/server.pem" >/dev/null 2>&1
}

if ! is_good; then
	quietly openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=nspawn image-server" \
		-keyout "$work/key" -out "$work/request"
	printf '%s\n' "subjectAltName=$names" "basicConstraints=critical,CA:FALSE" "keyUsage=critical,digitalSignature" \
		"extendedKeyUsage=serverAuth" "authorityKeyIdentifier=keyid" >"$work/extensions"
	quietly openssl x509 -req -in "$work/request" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" -days 825 \
		-set_serial "0x00$(openssl rand -hex 16)" -extfile "$work/extensions" -out "$work/certificate"
	# Key and certificate are one file, so that they change together. nginx is told of it inside the machine.
	cat "$work/key" "$work/certificate" | write "$folder/tls/server.pem" 600
	echo "$names" | write "$folder/names" 644
	echo "made a certificate for $names"
fi

# The user, and this host's own login. A file of users that is there already is the administrator's: nothing is known of its passwords.
login=$folder/config.ini
password=$(sed -n 's/^password = //p' "$login" 2>/dev/null || true)
if ! [ -e "$user_file" ] || ! [ -s "$user_file" ]; then
	[ -n "$password" ] || password=$(openssl rand -base64 24 | tr '+/' '-_')
	# By standard input: the arguments of a command can be seen by all users.
	hash=$(printf '%s\n' "$password" | openssl passwd -6 -stdin)
	mkdir -p "$(dirname "$user_file")"
	printf '%s:%s\n' "$username" "$hash" | write "$user_file" 640
	# www-data of Debian, as which nginx reads it.
	chgrp 33 "$user_file"
	echo "made the user $username with a new password: $login"
else
	username=$(sed -n 's/^username = //p' "$login" 2>/dev/null || true)
fi
{
	echo "# Made by the setup of image-server: how the commands of this host reach it. For root alone."
	echo "[auth/$host]"
	# Here it is asked directly, whatever the name means elsewhere.
	echo "host = localhost"
	echo "ca_file = $folder/ca.crt"
	if [ -n "$password" ]; then printf 'type = basic\nusername = %s\npassword = %s\n' "$username" "$password"; fi
} | write "$login" 600
ln -sfn "$login" /etc/nspawn/config.d/image-server.ini
