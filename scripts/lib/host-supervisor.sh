# shellcheck shell=bash
# The process that boots a host, stays as long as it runs, and shuts it down; and how to get into the host. To be sourced by
# scripts/host.
# shellcheck disable=SC2154 # self, release and nspawn_options are scripts/host's
# shellcheck disable=SC2034 # and it uses ENVIRONMENT

# What the supervisor's traps see.
host_name='' reaper='' nspawn='' is_ready='' stop_requested=''

# supervise NAME [boot OPTION]...
supervise() {
	local name=$1 state cgroup answer code
	shift
	# The parent may have ended just before the kernel was told to watch it.
	[[ $PPID == "${NSPAWN_HOST_PARENT:-}" ]] || exit 1
	unset NSPAWN_HOST_PARENT
	parse_boot_options "$@"
	state=$(state_of "$name") cgroup=$(cgroup_of "$name")
	make_archive "$release"

	# A plain cgroup2, whether the machine has it there, elsewhere (hybrid) or not at all.
	[[ $(stat --file-system --format=%T "$CGROUPS") == cgroup2fs ]] || mount -t cgroup2 cgroup2 "$CGROUPS"
	# The locks and sockets of systemd-nspawn would stay on the machine.
	mkdir -p /run/systemd/nspawn
	mount -t tmpfs -o mode=755 nspawn /run/systemd/nspawn

	# Children of bash do not inherit a coprocess' pipe, so nothing but this process keeps the reaper waiting.
	coproc REAPER { exec setsid "$self" reap "$name" $$; }
	reaper=$REAPER_PID answer=${REAPER[0]:-}
	{ [[ $answer ]] && read -r <&"$answer"; } 2>/dev/null || exit 1 # it said why
	host_name=$name
	trap end_host EXIT
	# Powered off at once, because the signal may come just before `wait`, which it then would not interrupt.
	trap 'stop_requested=yes; power_off' HUP INT TERM

	mkdir "$cgroup" "$cgroup/helpers" "$cgroup/host"
	echo "$release" >"$state/release"
	mount_root "$name"
	(in_cgroup "$cgroup/helpers" tar --extract --file "$(archive_of "$release")" --zstd --directory "$state/root" \
		--numeric-owner --same-permissions --xattrs --xattrs-include='*' --acls)
	echo "$name" >"$state/root/etc/hostname"

	until [[ $stop_requested ]]; do
		start_nspawn "$name"
		await_ready "$name"
		[[ ! $stop_requested ]] || break
		code=0
		wait "$nspawn" || code=$?
		is_ready=''
		if [[ $stop_requested ]] || { ((code == 0)) && [[ ! -e $state/crash ]]; }; then break; fi
		# With this code systemd-nspawn asks to be started again: the host reboots.
		((code == 133)) || [[ -e $state/crash ]] || fail "systemd-nspawn of $name ended with code $code"
		rm -f "$state/crash" "$state/ready"
		kill_cgroup "$cgroup/host" || fail "processes of $name do not end"
		mkdir "$cgroup/host"
	done
}

start_nspawn() {
	local name=$1 state
	local -a options=(
		--boot --machine="$name" --directory="$(state_of "$name")/root" --settings=no
		--register=no --keep-unit # the machine may be without systemd
		--capability=all --system-call-filter='@mount @keyring bpf' # machines in the host
		--console=read-only --link-journal=no --timezone=off --resolv-conf=replace-host
	)
	state=$(state_of "$name")
	if type -P node >/dev/null && ! node_needs_package; then
		options+=(--bind-ro="$(realpath "$(type -P node)"):/usr/bin/node")
	fi
	# /tmp as the release has it, rather than a tmpfs without devices, in which mmdebstrap could not work.
	local -x SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_TMPFS_TMP=0
	# setsid: a terminal's Ctrl-C is for the supervisor, which then shuts the host down.
	(in_cgroup "$(cgroup_of "$name")/host" \
		setsid setpriv --pdeathsig KILL -- systemd-nspawn "${options[@]}" "${nspawn_options[@]}") \
		</dev/null >>"$state/console.log" 2>&1 &
	nspawn=$!
	echo "$nspawn" >"$state/nspawn"
}

# await_ready NAME: until all of the host is up.
await_ready() {
	local name=$1 leader status log deadline=$((SECONDS + 120))
	log=$(state_of "$name")/console.log
	until [[ $stop_requested ]]; do
		if ! kill -0 "$nspawn" 2>/dev/null; then
			cat "$log" >&2
			fail "$name ended while it was booting"
		fi
		status=''
		if leader_of "$name" && leader=$REPLY && [[ -S /proc/$leader/root/run/systemd/private ]]; then
			status=$(in_host "$leader" "${CLEANLY[@]}" systemctl is-system-running 2>/dev/null) || true
		fi
		case $status in
		running | degraded) break ;;
		esac
		if ((SECONDS >= deadline)); then
			cat "$log" >&2
			fail "$name did not boot in time (${status:-no answer})"
		fi
		sleep 0.03
	done
	[[ ! $stop_requested ]] || return 0
	if [[ $status == degraded ]]; then
		echo "host: error: $name is degraded, failed:" \
			"$(in_host "$leader" "${CLEANLY[@]}" systemctl list-units --failed --plain --no-legend | cut -d' ' -f1 | xargs)" >&2
	fi
	is_ready=yes
	[[ ! $stop_requested ]] || return 0
	echo "$leader" >"$(state_of "$name")/ready"
	echo "ready $name leader=$leader"
}

# Nothing in a host that is not up yet is worth an orderly end, nor would its systemd hear of it.
power_off() {
	local leader
	[[ $is_ready ]] && leader_of "$host_name" && leader=$REPLY || return 0
	# systemd's signal for it.
	kill -s RTMIN+4 "$leader" 2>/dev/null || true
}

# The supervisor's end, for whatever reason but kill -9.
# shellcheck disable=SC2317 # a trap calls it
end_host() {
	local code=$? name=$host_name attempt entered pipe
	trap '' HUP INT TERM
	if [[ $is_ready ]]; then
		# Commands that were entered are no children of the host's systemd: it would wait for them in vain.
		for entered in "$(payload_of "$name")"/enter.*/command; do kill_cgroup "$entered" || true; done
		power_off
		for ((attempt = 0; attempt < 1000; attempt++)); do
			kill -0 "$nspawn" 2>/dev/null || break
			sleep 0.02
		done
	fi
	# The reaper takes away the rest, a host that did not shut down included.
	pipe=${REAPER[1]:-}
	if [[ $pipe ]]; then exec {pipe}>&-; fi
	wait "$reaper" 2>/dev/null || true
	exit "$code"
}

# in_host LEADER COMMAND...: in the host's namespaces. Replaces the calling subshell.
#
# If the subshell's parent is killed, so are nsenter and, as nsenter's child, the command.
in_host() {
	local leader=$1
	shift
	exec setpriv --pdeathsig KILL -- \
		nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup \
		--root="/proc/$leader/root" --wd="/proc/$leader/root" -- \
		/usr/bin/setpriv --pdeathsig KILL -- "$@"
}

# Begins a command line in the host: with nothing of this machine's environment, and with the terminal's signals, which bash lets
# programs in the background ignore.
readonly CLEANLY=(/usr/bin/env -i --default-signal=INT --default-signal=QUIT)
readonly ENVIRONMENT=(
	PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8 "TERM=${TERM:-dumb}"
)
