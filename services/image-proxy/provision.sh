#!/bin/sh
# Tells the commands of this host of the proxy, and makes a CA if TLS connections are to be opened. What is there stays.
# provision.sh FOLDER PORT intercept|tunnel use|leave
set -eu
umask 077

folder=$1 port=$2 tls=$3 use=$4

write() { # PATH MODE
	cat >"$1.new"
	chmod "$2" "$1.new"
	mv "$1.new" "$1"
}

for path in /etc/nspawn /etc/nspawn/hatch /etc/nspawn/config.d "$folder"; do
	[ -d "$path" ] || mkdir -m 755 "$path"
done

if [ "$tls" = intercept ] && ! [ -e "$folder/ca.crt" ]; then
	command -v openssl >/dev/null || {
		echo "openssl is needed to make a CA: apt-get install openssl" >&2
		exit 1
	}
	[ -d "$folder/tls" ] || mkdir -m 700 "$folder/tls"
	work=$(mktemp -d "$folder/tmp.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	said=$(openssl req -x509 -newkey rsa:3072 -nodes -days 3650 -subj "/CN=nspawn image-proxy CA of $(uname -n)" \
		-addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$work/key" -out "$work/ca.crt" 2>&1) || {
		echo "$said" >&2
		exit 1
	}
	cat "$work/key" "$work/ca.crt" | write "$folder/tls/ca.pem" 600
	write "$folder/ca.crt" 644 <"$work/ca.crt"
	echo "made a CA, which clients have to trust: $folder/ca.crt"
fi

link=/etc/nspawn/config.d/image-proxy.ini
if [ "$use" = use ]; then
	# By its address: a root that is being built may not know the name localhost.
	write "$folder/config.ini" 644 <<-END
		# Made by the setup of image-proxy: downloads and builds of this host go through it.
		[proxy]
		use_machine_proxy = yes
		proxy_config_text =
		  http_proxy = http://127.0.0.1:$port
		  https_proxy = http://127.0.0.1:$port
	END
	ln -sfn "$folder/config.ini" "$link"
elif [ -L "$link" ]; then
	rm "$link"
fi
