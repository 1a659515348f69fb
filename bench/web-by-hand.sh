#!/bin/bash
# What demo/debian/web/build.ts does, as someone would do it by hand:
#   web-by-hand.sh root|first|last FOLDER     in FOLDER: web/ and images/base.tar.zst; all that it makes is in FOLDER/hand
# `root` extracts the base, then does the same as `first`, which works through all steps; `last` does the last step on what `first` has made.
set -euo pipefail

what=$1
project=$(realpath "$2")
hand=$project/hand
options=(--quiet --register=no --keep-unit --as-pid2 --console=pipe --link-journal=no --timezone=off --resolv-conf=off --settings=no
	--bind=/etc/resolv.conf --setenv=DEBIAN_FRONTEND=noninteractive)

if [ "${NSPAWN_BENCH_INSIDE:-}" = "" ]; then
	export NSPAWN_BENCH_INSIDE=1
	exec unshare --mount --propagation private "$0" "$@"
fi

run() { # ARGUMENT...
	systemd-nspawn "${options[@]}" --directory="$hand/mount" "$@"
}

anew() { # FOLDER...
	rm -rf --one-file-system "$@"
	mkdir -p "$@"
}

if [ "$what" = root ]; then
	anew "$hand/base"
	zstd -q -d <"$project/images/base.tar.zst" | tar -x -C "$hand/base"
fi
cd "$hand"
if [ "$what" = last ]; then
	anew last work mount
	mount -t overlay -o lowerdir=upper:base,upperdir=last,workdir=work overlay mount
	run nginx -t -q
	exit
fi
anew upper work mount
mount -t overlay -o lowerdir=base,upperdir=upper,workdir=work overlay mount
run sh -e -c "apt-get update && apt-get install --yes --no-install-recommends nginx-light curl && apt-get clean && rm -rf /var/lib/apt/lists/*"
cp -a "$project/web/etc/." mount/etc/
mkdir -p mount/srv/www
sed 's/{{ title }}/Hello from nspawn/' <"$project/web/srv/www/index.html" >mount/srv/www/index.html
run nginx -t -q
umount mount
tar --create --directory upper . | zstd -q -T0 >image.tar.zst
