# shellcheck shell=bash
# Installs the Debian packages a script needs, and only those that are missing. To be sourced.

# need_packages PROGRAM:PACKAGE ...
#
# Installs each PACKAGE whose PROGRAM is not there. PROGRAM is a command's name, or the absolute path of a file for packages
# without a command. Says nothing when nothing is missing.
need_packages() {
	local pair program
	local -a missing=()
	for pair in "$@"; do
		program=${pair%%:*}
		if [[ $program == /* ]]; then
			[[ -e $program ]] || missing+=("${pair#*:}")
		else
			# An ordinary user's PATH, and that of some CI runners, is without the sbin folders.
			PATH=$PATH:/usr/sbin:/sbin type -P "$program" >/dev/null || missing+=("${pair#*:}")
		fi
	done
	((${#missing[@]})) || return 0

	if ! type -P apt-get >/dev/null; then
		echo "error: missing: ${missing[*]} (there is no apt-get here to install them with)" >&2
		return 1
	fi
	if ((EUID != 0)); then
		echo "error: missing: ${missing[*]} (run 'apt-get install ${missing[*]}' as root)" >&2
		return 1
	fi
	echo "installing ${missing[*]}" >&2
	_install_packages "${missing[@]}"
}

# A mirror may fail for a moment: so once more. That the lists cannot all be updated does not matter (some other repository of
# this machine may be unreachable), as long as the packages can be installed.
_install_packages() {
	local attempt log
	log=$(mktemp)
	for attempt in 1 2; do
		apt-get update >"$log" 2>&1 || true
		if DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends "$@" >>"$log" 2>&1 </dev/null; then
			rm -f "$log"
			return 0
		fi
		((attempt == 2)) || sleep 2
	done
	cat "$log" >&2
	rm -f "$log"
	echo "error: could not install $*" >&2
	return 1
}
