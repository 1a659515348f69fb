# shellcheck shell=bash
# What every script of the project does first: the programs, the npm packages, the compiled commands. To be sourced.
# The sourcing script sets `project`, the folder of the project, and sources packages.sh.

# Programs that the product starts, or that its tests start.
need_programs() {
	need_packages systemd-nspawn:systemd-container mmdebstrap:mmdebstrap unshare:util-linux setpriv:util-linux \
		mount:mount tar:tar zstd:zstd pigz:pigz xz:xz-utils getfattr:attr getfacl:acl setcap:libcap2-bin strace:strace \
		script:bsdutils zsh:zsh fish:fish openssl:openssl nginx:nginx \
		swift-proxy-server:swift-proxy swift-account-server:swift-account swift-container-server:swift-container \
		swift-object-server:swift-object rclone:rclone chromium:chromium \
		/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf:fonts-dejavu-core \
		/usr/lib/python3/dist-packages/yaml/__init__.py:python3-yaml
}

need_node() {
	local version
	version=$(node --version 2>/dev/null) || {
		echo "error: Node is missing: version 20.19 or newer is needed" >&2
		return 1
	}
	if ! node -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)'; then
		echo "error: Node $version is too old: 20.19 or newer is needed" >&2
		return 1
	fi
}

# npm packages as in package-lock.json; nothing is done if they are there. Not `npm ci`: it wants to see packages for every other
# platform in the lock file, which a registry that mirrors only some of them cannot give.
need_modules() {
	local stamp=${project:?}/node_modules/.nspawn-lock
	cmp -s "$project/package-lock.json" "$stamp" && return
	quietly npm --prefix "$project" install --no-save --no-audit --no-fund
	cp "$project/package-lock.json" "$stamp"
}

# The package as its users get it: packed, and installed with npm into the folder PREFIX.
install_package() { # PREFIX
	local prefix=$1 tarball
	mkdir -p "$prefix"
	tarball=$(cd "$project" && npm pack --silent --pack-destination "$prefix")
	quietly npm install --global --no-audit --no-fund --prefix "$prefix" "$prefix/$tarball"
	rm "$prefix/$tarball"
}

# Runs a command whose output is only of interest if it fails.
quietly() {
	local log
	log=$(mktemp)
	if ! "$@" >"$log" 2>&1; then
		cat "$log" >&2
		rm -f "$log"
		echo "error: failed: $*" >&2
		return 1
	fi
	rm -f "$log"
}
