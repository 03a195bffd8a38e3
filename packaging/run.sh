#!/usr/bin/env bash
# Sets Hopwise up in .venv and opens the wizard; without a display, runs the practice network in this terminal.
# Arguments go to hopwise: bash packaging/run.sh check project.toml
set -euo pipefail
# shellcheck source=packaging/setup.sh
. "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

install_locked requirements.lock
platform=offscreen
[ -z "${DISPLAY:-}" ] || platform=xcb
[ -z "${WAYLAND_DISPLAY:-}" ] || platform=wayland
if [ "$(uname)" = Linux ]; then
    [ -z "$(qt_libraries_missing "$platform")" ] || qt_packages
    lacking=$(qt_libraries_missing "$platform")
    [ -z "$lacking" ] || say "Qt will not start, it lacks the system's ${lacking//$'\n'/, }"
fi

if [ $# = 0 ] && [ "$platform" = offscreen ] && [ "$(uname)" != Darwin ]; then
    say "no display here, so no window: this is the practice network instead"
    exec "$VENV/bin/hopwise" demo
fi
exec "$VENV/bin/hopwise" "$@"
