# Functions that the other scripts share; meant to be sourced.

# note TEXT... says what takes time, apart from the output of the commands.
note() { printf '== %s\n' "$*" >&2; }

# die TEXT... ends the script with a reason.
die() {
	printf 'error: %s\n' "$*" >&2
	exit 1
}

# debian_install WHY PACKAGE... installs Debian packages where the user may, and
# otherwise says what is missing.
debian_install() {
	local why=$1
	shift
	command -v apt-get >/dev/null || die "$why; install the equivalent of: $*"
	local as_root=()
	if [ "$(id -u)" -ne 0 ]; then
		sudo -n true 2>/dev/null || die "$why; run: sudo apt-get install $*"
		as_root=(sudo -n)
	fi
	note "$why: installing $*"
	"${as_root[@]}" apt-get update -qq >&2
	"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
		apt-get install -y -qq --no-install-recommends "$@" >&2 </dev/null
}
