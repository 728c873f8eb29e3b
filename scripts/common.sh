# Paths, messages and helpers that every step of build.sh shares. Sourced, never run.

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
build="$root/build"
cache="${XDG_CACHE_HOME:-$HOME/.cache}/shmcv"

say()  { printf '\033[1m==>\033[0m %s\n' "$*" >&2; }
warn() { printf '\033[1m==> NOTE:\033[0m %s\n' "$*" >&2; }
die()  { printf '\033[1m==> ERROR:\033[0m %s\n' "$*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }

# as_root COMMAND...: runs the command as root, by sudo if the user is not root. Fails if there is no sudo.
as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"
    elif have sudo; then sudo "$@"
    else return 1
    fi
}

# quietly LOG COMMAND...: runs the command with its output in LOG. If it fails, shows the end of the log and stops.
quietly() {
    local log="$1"; shift
    mkdir -p "$(dirname "$log")"
    "$@" >"$log" 2>&1 || { tail -n 40 "$log" >&2; die "'$1' failed; the whole output is in $log"; }
}

# make_once FOLDER WHAT COMMAND...: runs a command that makes a folder of the cache, and whose last step is the file complete
# there. It runs nothing if that file is there. Two builds that need the folder make it once: one of them waits.
make_once() {
    local folder="$1" what="$2" lock
    shift 2
    [ ! -e "$folder/complete" ] || return 0
    mkdir -p "$cache"
    exec {lock}>"$folder.lock"
    flock -n "$lock" || { say "another process makes $what; waiting for it"; flock "$lock"; }
    [ -e "$folder/complete" ] || "$@"
    exec {lock}>&-
}

# The two numbers of the binary interface's version.
abi_major() { sed -n 's/^\tABIMajor = //p' "$root/internal/abi/version.go"; }
abi_minor() { sed -n 's/^\tABIMinor = //p' "$root/internal/abi/version.go"; }
library_version() { sed -n 's/^const Version = "\(.*\)"/\1/p' "$root/internal/abi/version.go"; }
