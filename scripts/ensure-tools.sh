#!/bin/sh
# Makes sure that what the tests need is on this machine. As root, installs the
# missing Debian packages; otherwise says which they are and fails.
set -eu

missing=""
need() { # need <package> <command or file>…
	package=$1
	shift
	for what in "$@"; do
		case $what in
		/*) for f in $what; do [ -e "$f" ] && return 0; done ;;
		*) command -v "$what" >/dev/null 2>&1 && return 0 ;;
		esac
	done
	missing="$missing $package"
}

need git git
need gcc gcc
need postgresql initdb '/usr/lib/postgresql/*/bin/initdb'
need redis-server redis-server
need chromium chromium "${CHROMIUM:-chromium}"
need firefox-esr firefox-esr firefox
need postfix postfix /usr/sbin/postfix
need dovecot-imapd /usr/lib/dovecot/imap
need coturn turnserver
need default-jre-headless java
need libsaxonhe-java '/usr/share/java/Saxon-HE*.jar' '/usr/share/java/saxon*.jar'
need libxml2-utils xmllint
need python3 python3
need poppler-utils pdftoppm
need zbar-tools zbarimg
need openssl openssl
need iproute2 ip

if [ -n "$missing" ]; then
	if [ "$(id -u)" != 0 ]; then
		echo "Missing on this machine. Ask its administrator for: apt-get install$missing" >&2
		exit 1
	fi
	echo "Installing:$missing"
	apt-get update -qq
	# Servers are started by the tests, in folders of their own: not by the system.
	policy=/usr/sbin/policy-rc.d
	if [ ! -e "$policy" ]; then
		printf '#!/bin/sh\nexit 101\n' >"$policy"
		chmod +x "$policy"
		trap 'rm -f "$policy"' EXIT
	fi
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing >/dev/null
fi

fail=0
if ! command -v go >/dev/null 2>&1; then
	echo "Go 1.21 or later is needed: it fetches the toolchain of the Makefile by itself." >&2
	fail=1
fi
if ! command -v node >/dev/null 2>&1 || [ "$(node -p 'const [a, b] = process.versions.node.split(".").map(Number); a > 20 || (a === 20 && b >= 19)')" != true ]; then
	echo "Node 20.19 or later is needed, with npm." >&2
	fail=1
fi
exit $fail
