cd "$1"; mount -t overlay -o "$2" overlay "$3"; shift 3; exec "$@"
