# shellcheck shell=bash
# What a running host consists of, and how all of it goes away. To be sourced by scripts/host.
#
# A host NAME is: a supervisor (the script that runs `boot`), a reaper, the processes in a cgroup, a mount namespace of the
# supervisor's with the host's root in it, and a folder /run/nspawn-host/NAME with one file for each fact:
#   supervisor, reaper   "PID START", the start time because process numbers come back
#   nspawn               PID of systemd-nspawn
#   release              Debian's release
#   ready                PID of the first process of a host that is up
#   crash                there while a crash of the host is meant
#   console.log          what the host printed
#   root/                where the root is mounted, in the supervisor's mount namespace only

readonly STATE_FOLDER=/run/nspawn-host

state_of() { echo "$STATE_FOLDER/$1"; }

# The supervisor mounts a cgroup2 of its own here, whatever the machine has or has not.
readonly CGROUPS=/sys/fs/cgroup
cgroup_of() { echo "$CGROUPS/nspawn-host.$1"; }
# The host's own cgroups, which it sees as the root.
payload_of() { echo "$(cgroup_of "$1")/host/payload"; }

# process_start PID: sets REPLY to the time at which the process started. It and the next ones start no process, not even a
# subshell: they are a part of every command that enters a host.
process_start() {
	local -a stat
	{ read -r stat <"/proc/$1/stat"; } 2>/dev/null || return 1
	# The second field is the program's name in parentheses, which may hold spaces: count from its end.
	read -ra stat <<<"${stat##*) }"
	[[ ${stat[0]} != Z ]] || return 1
	REPLY=${stat[19]}
}

# still_runs [PID [START]]: as the files say it, of whom a process that had ended when it was noted has no start.
still_runs() { [[ ${2:-} ]] && process_start "$1" && [[ $REPLY == "$2" ]]; }

# is_running NAME supervisor|reaper
is_running() {
	local pid start
	{ read -r pid start <"$STATE_FOLDER/$1/$2"; } 2>/dev/null || return 1
	still_runs "$pid" "$start"
}

# note_process NAME supervisor|reaper PID
# It may have ended by then: then it is noted as one that never runs.
note_process() {
	process_start "$3" || REPLY=''
	echo "$3 $REPLY" >"$(state_of "$1")/$2"
}

# pid_of NAME supervisor|reaper|nspawn: sets REPLY.
pid_of() { { read -r REPLY _ <"$STATE_FOLDER/$1/$2"; } 2>/dev/null; }

# leader_of NAME: sets REPLY to the PID of the host's first process. systemd-nspawn's other child is gone once that one runs.
leader_of() {
	local child key ids
	local -a children
	pid_of "$1" nspawn || return 1
	{ read -ra children <"/proc/$REPLY/task/$REPLY/children"; } 2>/dev/null || [[ ${children[*]} ]] || return 1
	for child in "${children[@]}"; do
		while read -r key ids; do
			if [[ $key == NSpid: && $ids == *[[:space:]]1 ]]; then
				REPLY=$child
				return 0
			fi
		done 2>/dev/null <"/proc/$child/status" || true
	done
	return 1
}

# in_cgroup CGROUP COMMAND...: replaces the calling (sub)shell.
in_cgroup() {
	echo "$BASHPID" >"$1/cgroup.procs"
	shift
	exec "$@"
}

remove_cgroup() {
	[[ ! -d $1 ]] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null
}

# kill_cgroup CGROUP: kills everything in it, waits until it is gone and removes it.
kill_cgroup() {
	local attempt
	[[ -d $1 ]] || return 0
	for ((attempt = 0; attempt < 500; attempt++)); do
		if [[ -e $1/cgroup.kill ]]; then
			{ echo 1 >"$1/cgroup.kill"; } 2>/dev/null || true
		else # before Linux 5.14
			# shellcheck disable=SC2038 # no file names, but what is in the files
			find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | xargs --no-run-if-empty kill -KILL 2>/dev/null || true
		fi
		if ! grep -q 'populated 1' "$1/cgroup.events" 2>/dev/null; then
			remove_cgroup "$1" && return 0
		fi
		sleep 0.02
	done
	return 1
}

# remove_host NAME: whatever there is of it. Its supervisor must be dead or about to leave.
remove_host() {
	local state removed=$STATE_FOLDER/.removed.$BASHPID
	state=$(state_of "$1")
	kill_cgroup "$(cgroup_of "$1")" || true
	# It is mounted here only if this process is in the supervisor's mount namespace.
	umount --lazy "$state/root" 2>/dev/null || true
	rm -f "$(disk_of "$1")"
	# No rm -r: should something be mounted after all, nothing in it must be lost.
	rmdir "$state/root" 2>/dev/null || true
	[[ ! -e $state/root ]] || return 0
	# All at once: in what is still there under its name, the files tell who is at work on it.
	mv --no-target-directory "$state" "$removed" 2>/dev/null || return 0
	find "$removed" -maxdepth 1 -type f -delete 2>/dev/null || true
	rmdir "$removed" 2>/dev/null || true
}

# reap NAME SUPERVISOR: claims the name, says so, waits until nobody holds the other end of the pipe on stdin, that is, until the
# supervisor ended in whatever way, and removes the host. In a session of its own, so that neither a closed terminal nor
# `kill -- -GROUP` takes it down too.
reap() {
	trap '' HUP INT PIPE QUIT TERM
	cd /
	claim_name "$1" "$2"
	note_process "$1" reaper $$
	echo claimed 2>/dev/null || true
	exec >/dev/null 2>&1
	cat >/dev/null
	remove_host "$1"
}

# claim_name NAME SUPERVISOR: makes the state folder, refuses the name of a running host, and takes over what a dead one left.
claim_name() (
	mkdir -p "$STATE_FOLDER"
	exec {lock}>"$STATE_FOLDER/.lock"
	flock "$lock"
	state=$(state_of "$1")
	if is_running "$1" supervisor; then fail "a host named $1 is running already (pid $(pid_of "$1" supervisor && echo "$REPLY"))"; fi
	# One that just ended, whose reaper is at work.
	for ((attempt = 0; attempt < 500; attempt++)); do
		is_running "$1" reaper || break
		sleep 0.02
	done
	if [[ -e $state ]]; then remove_host "$1"; fi
	mkdir "$state" || fail "could not remove what a former host named $1 left in $state"
	note_process "$1" supervisor "$2"
)

memory_is_ample() { [[ ${NSPAWN_HOST_ROOT:-} != disk ]] && awk '/^MemAvailable:/ { exit !($2 >= 6 * 1024 * 1024) }' /proc/meminfo; }

disk_of() { echo "$ARCHIVE_FOLDER/disk.$1"; }

# mount_root NAME: an empty file system of the host's own: a real one, because machines in the host put overlays on it.
# It has no name outside of this mount namespace, so the kernel frees it with the last process in there.
mount_root() {
	local root disk probe
	root=$(state_of "$1")/root
	mkdir "$root"
	if memory_is_ample; then
		mount -t tmpfs -o size=75%,mode=755 "nspawn-host.$1" "$root"
		# Linux before 6.6 has no user.* attributes there.
		probe=$root/probe
		touch "$probe"
		if setfattr -n user.probe -v 1 "$probe" 2>/dev/null; then
			rm "$probe"
			return
		fi
		umount "$root"
	fi
	disk=$(disk_of "$1")
	rm -f "$disk"
	truncate --size 20G "$disk"
	# No journal: there is nothing to recover after a crash.
	mkfs.ext4 -q -F -O ^has_journal -E lazy_itable_init=1,root_owner=0:0 "$disk"
	mount -o loop,noatime "$disk" "$root"
	rm "$disk"
	rmdir "$root/lost+found"
}
