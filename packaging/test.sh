#!/usr/bin/env bash
# Everything that must hold: lint, format, types, layers, tests. Sets .venv up first; as root also Debian's packages.
# Arguments go to pytest: bash packaging/test.sh -k ports
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

qt_packages
coturn=$(not_installed coturn) sshd=$(not_installed openssh-server) miniupnpd=$(not_installed miniupnpd)
apt_packages coturn openssh-server miniupnpd miniupnpd-nftables nftables iptables ufw iproute2 procps conntrack xvfb xdotool poppler-utils gnome-keyring dbus chromium libnss3-tools imagemagick \
    fonts-noto-cjk fonts-dejavu-core desktop-file-utils appstream shellcheck
# The tests start their own; nobody asked for a TURN, SSH or UPnP server, now or at the next boot.
if [ -n "$coturn" ] && [ -d /run/systemd/system ]; then systemctl --quiet disable coturn || true; fi
if [ -n "$miniupnpd" ] && [ -n "$(command -v systemctl)" ]; then systemctl --quiet disable miniupnpd || true; fi
if [ -n "$sshd" ] && [ -n "$(command -v systemctl)" ]; then
    systemctl --quiet disable ssh.service ssh.socket 2>/dev/null || systemctl --quiet disable ssh.service || true
    if [ -d /run/systemd/system ]; then systemctl --quiet stop ssh.socket ssh.service || true; fi
fi
# firewalld starts as soon as it is installed, and then closes ports: only where there is nothing to start it.
if [ ! -d /run/systemd/system ]; then apt_packages firewalld; fi
install_locked requirements-test.lock

cd "$ROOT"
export PATH="$VENV/bin:$PATH" QT_QPA_PLATFORM="${QT_QPA_PLATFORM:-offscreen}"
failed=()
gate() {
    printf '== %s\n' "$*"
    "$@" || failed+=("$1")
}
gate ruff check .
gate ruff format --check .
gate mypy
gate lint-imports
if [ -n "$(command -v shellcheck)" ]; then gate shellcheck -x packaging/*.sh packaging/deb/*.sh .ci/run; fi
before_tests=${failed[*]}
if [ $# = 0 ]; then
    # Tests mostly wait, so there are more workers than cores; what measures time has the machine for itself afterwards.
    gate pytest --continue-on-collection-errors -n 4 --dist loadfile -m "not alone"
    gate pytest --continue-on-collection-errors -m alone
else
    gate pytest --continue-on-collection-errors "$@"
fi
[ -z "$before_tests" ] || say "failed before the tests: $before_tests"
[ "${#failed[@]}" = 0 ]
