#!/bin/bash
# OpenStack Swift with its S3 API, from Debian's packages, on one folder: swift.sh FOLDER PORT. Runs until it is ended, and all of it with it.
# Keys: test:tester / testing.
set -euo pipefail

folder=$1 port=$2
cd "$folder"
mkdir -p etc srv/d cache log
# The only file that Swift looks for in one place alone.
if ! [ -e /etc/swift/swift.conf ]; then
	mkdir -p /etc/swift
	printf '[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n' >/etc/swift/swift.conf
fi

for kind in account container object; do
	case $kind in account) own=$((port + 1)) ;; container) own=$((port + 2)) ;; object) own=$((port + 3)) ;; esac
	if ! [ -e "etc/$kind.ring.gz" ]; then
		swift-ring-builder "etc/$kind.builder" create 4 1 1 >/dev/null
		swift-ring-builder "etc/$kind.builder" add "r1z1-127.0.0.1:$own/d" 1 >/dev/null
		swift-ring-builder "etc/$kind.builder" rebalance >/dev/null
	fi
	cat >"etc/$kind.conf" <<-END
		[DEFAULT]
		bind_ip = 127.0.0.1
		bind_port = $own
		workers = 0
		user = root
		swift_dir = $folder/etc
		devices = $folder/srv
		mount_check = false
		conn_timeout = 20
		node_timeout = 60
		container_update_timeout = 60
		fallocate_reserve = 0
		log_address = /dev/null
		recon_cache_path = $folder/cache
		[pipeline:main]
		pipeline = $kind-server
		[app:$kind-server]
		use = egg:swift#$kind
		conn_timeout = 20
		node_timeout = 60
		recon_cache_path = $folder/cache
	END
done
cat >etc/proxy.conf <<-END
	[DEFAULT]
	bind_ip = 127.0.0.1
	bind_port = $port
	workers = 0
	user = root
	swift_dir = $folder/etc
	log_address = /dev/null
	[pipeline:main]
	pipeline = catch_errors cache listing_formats s3api tempauth copy slo proxy-server
	[app:proxy-server]
	use = egg:swift#proxy
	account_autocreate = true
	allow_account_management = true
	[filter:catch_errors]
	use = egg:swift#catch_errors
	[filter:cache]
	use = egg:swift#memcache
	memcache_servers = 127.0.0.1:1
	[filter:listing_formats]
	use = egg:swift#listing_formats
	[filter:s3api]
	use = egg:swift#s3api
	location = us-east-1
	[filter:tempauth]
	use = egg:swift#tempauth
	user_test_tester = testing .admin
	[filter:copy]
	use = egg:swift#copy
	[filter:slo]
	use = egg:swift#slo
END

trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
trap 'exit 0' TERM INT
for server in account container object proxy; do
	"swift-$server-server" "etc/$server.conf" >>"log/$server" 2>&1 &
done
wait
