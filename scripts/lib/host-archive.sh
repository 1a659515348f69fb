# shellcheck shell=bash
# The root of the disposable host: made once with mmdebstrap, kept as an archive. To be sourced by scripts/host.

readonly ARCHIVE_FOLDER=${NSPAWN_HOST_CACHE:-/var/cache/nspawn-host}

readonly HOST_PACKAGES=(
	systemd systemd-sysv dbus systemd-container # a host with machines
	iproute2 procps util-linux netbase less
	zstd xz-utils pigz tar acl attr libcap2-bin # layers and images
	mmdebstrap curl ca-certificates             # base images
	nginx-light                                 # serves images to tests that start it
)

# Units that fail, or do harm, in a container that shares the machine's kernel. The names that a release does not have do not matter.
readonly MASKED_UNITS=(
	systemd-modules-load.service # fails in Debian 13: the machine's modules are not there
	systemd-sysctl.service       # would set the machine's kernel
	tmp.mount                    # since Debian 13, would hide what is bound to a place in /tmp
	apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer fstrim.timer # would run amid a test
)

# Debian's own node is a small program with a big shared library: it cannot be lent to the host as one file.
node_needs_package() {
	local node
	node=$(type -P node) && ldd "$(realpath "$node")" 2>/dev/null | grep -q libnode
}

# mmdebstrap_options RELEASE: prints one option a line.
mmdebstrap_options() {
	local -a packages=("${HOST_PACKAGES[@]}")
	if node_needs_package; then packages+=(nodejs); fi
	printf '%s\n' --quiet --mode=root --variant=minbase "--include=$(IFS=, && echo "${packages[*]}")"
	# The host is on a file system of its own and never shares it: syncing would only cost time.
	printf '%s\n' '--dpkgopt=force-unsafe-io'
	# shellcheck disable=SC2016 # mmdebstrap's shell fills in $1
	printf '%s\n' '--customize-hook=systemctl --root="$1" --quiet disable nginx.service' \
		"--customize-hook=systemctl --root=\"\$1\" --quiet mask ${MASKED_UNITS[*]}"
	# The lists of the rolling release are past their date whenever a mirror is a few days behind.
	if [[ $1 == sid ]]; then printf '%s\n' '--aptopt=Acquire::Check-Valid-Until "false"'; fi
}

# archive_of RELEASE: prints the archive's path, whose name changes with the recipe.
archive_of() {
	local recipe
	recipe=$(mmdebstrap_options "$1" | sha256sum)
	echo "$ARCHIVE_FOLDER/$1-${recipe:0:12}.tar.zst"
}

# make_archive RELEASE: makes the archive if it is not there.
make_archive() {
	local archive lock
	archive=$(archive_of "$1")
	[[ ! -e $archive ]] || return 0
	mkdir -p "$ARCHIVE_FOLDER"
	exec {lock}>"$archive.lock"
	flock "$lock"
	# Another one may have made it while this one waited.
	[[ -e $archive ]] || make_locked "$1" "$archive"
	exec {lock}>&-
}

make_locked() {
	local release=$1 archive=$2 work=$2.work log=$2.log
	local -a options
	echo "making a host's root of Debian $release (once, about half a minute)" >&2
	# What a killed one left: with the lock, it cannot be in use.
	rm -rf "$work"
	mkdir "$work"
	mapfile -t options < <(mmdebstrap_options "$release")
	if ! make_in_private "$work" "$release" "${options[@]}" >"$log" 2>&1 </dev/null; then
		cat "$log" >&2
		rm -rf "$work" "$log"
		fail "could not make the host's root of Debian $release"
	fi
	mv "$work/root.tar.zst" "$archive"
	rm -rf "$work" "$log" "$archive.lock"
	# Roots after other recipes, unless another checkout still uses them.
	find "$ARCHIVE_FOLDER" -maxdepth 1 -name '*.tar.zst' -atime +14 -mtime +14 -delete
}

# make_in_private WORK RELEASE OPTION...: WORK/root.tar.zst.
#
# In namespaces of its own: if this script is killed, so is all of mmdebstrap, and none of its mounts is left.
make_in_private() {
	local work=$1 release=$2
	shift 2
	# In memory if there is enough: several times faster than a disk that is asked to sync.
	# shellcheck disable=SC2016 # the inner shell's variables
	setpriv --pdeathsig KILL -- \
		unshare --mount --propagation private --pid --fork --kill-child --mount-proc -- \
		bash -euo pipefail -c 'work=$1 release=$2 memory=$3; shift 3
			mkdir "$work/tmp"
			if [ "$memory" = yes ]; then mount -t tmpfs -o mode=1777 tmpfs "$work/tmp"; fi
			chmod 1777 "$work/tmp"
			export TMPDIR="$work/tmp"
			mmdebstrap --format=tar "$@" "$release" - | zstd -q -3 -T0 -o "$work/part"
			mv "$work/part" "$work/root.tar.zst"' \
		bash "$work" "$release" "$(memory_is_ample && echo yes || echo no)" "$@"
}
