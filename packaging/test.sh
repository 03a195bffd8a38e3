#!/usr/bin/env bash
# Everything that must hold: lint, format, types, layers, tests. Sets .venv up first; as root also Debian's packages.
# Arguments go to pytest: bash packaging/test.sh -k ports
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

qt_packages
apt_packages coturn nftables iptables iproute2 procps conntrack xvfb xdotool poppler-utils miniupnpd openssh-server \
    gnome-keyring dbus fonts-noto-cjk fonts-dejavu-core desktop-file-utils appstream shellcheck
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
gate pytest --continue-on-collection-errors "$@"
[ -z "$before_tests" ] || say "failed before the tests: $before_tests"
[ "${#failed[@]}" = 0 ]
