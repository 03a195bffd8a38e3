# shellcheck shell=bash
# Sourced by run.sh and test.sh: the virtual environment, the system's packages, and plain words when something is missing.

ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
VENV="$ROOT/.venv"

say() { printf 'hopwise: %s\n' "$*" >&2; }

stop() {
    say "$@"
    exit 1
}

may_use_apt() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null && command -v dpkg-query >/dev/null; }

# Those of the Debian packages given that are not installed. "a|b" is one package under its newer and older name.
not_installed() {
    local names name
    for names in "$@"; do
        for name in ${names//|/ }; do
            [ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] && continue 2
        done
        echo "$names"
    done
}

# Installs the Debian packages given where they are missing; says what it could not install, and never fails.
apt_packages() {
    local missing=() names name found keeps_services_down=""
    command -v dpkg-query >/dev/null || return 0
    mapfile -t missing < <(not_installed "$@")
    [ "${#missing[@]}" -gt 0 ] || return 0
    if ! may_use_apt; then
        say "not installed, and only root may install them: ${missing[*]//|/ or }"
        return 0
    fi
    say "installing with apt-get: ${missing[*]//|/ or }"
    export DEBIAN_FRONTEND=noninteractive
    apt-get -qq update >/dev/null 2>&1 || say "apt-get update failed; going on with the package lists that are here"
    # Servers that Debian starts when it installs them would hold ports and answer probes.
    if [ ! -e /usr/sbin/policy-rc.d ]; then
        keeps_services_down=/usr/sbin/policy-rc.d
        printf '#!/bin/sh\nexit 101\n' >"$keeps_services_down"
        chmod +x "$keeps_services_down"
    fi
    local wanted=()
    for names in "${missing[@]}"; do
        found=""
        for name in ${names//|/ }; do
            if apt-cache show --no-all-versions "$name" >/dev/null 2>&1; then
                found=$name
                break
            fi
        done
        wanted+=("${found:-${names%%|*}}")
    done
    # One unknown name would keep all the others from being installed.
    if ! apt-get -qq install --yes --no-install-recommends "${wanted[@]}" >/dev/null 2>&1; then
        for name in "${wanted[@]}"; do
            apt-get -qq install --yes --no-install-recommends "$name" >/dev/null 2>&1 || true
        done
    fi
    [ -z "$keeps_services_down" ] || rm -f "$keeps_services_down"
    mapfile -t missing < <(not_installed "$@")
    [ "${#missing[@]}" = 0 ] || say "could not be installed (no network, or not packaged here): ${missing[*]//|/ or }"
}

# The newest Python that can run Hopwise and make a virtual environment; nothing if there is none.
find_python() {
    local name
    for name in ${PYTHON:-python3.14 python3.13 python3.12 python3.11 python3}; do
        if "$name" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            echo "$name"
            return
        fi
    done
}

make_venv() {
    local python
    python=$(find_python)
    if [ -z "$python" ] && may_use_apt; then
        apt_packages python3-venv
        python=$(find_python)
    fi
    if [ -z "$python" ]; then
        stop "needs Python 3.11 or newer with its venv module; here is $(python3 --version 2>/dev/null || echo none)." \
            "On Debian 12 and Ubuntu 24.04 or newer: apt-get install python3-venv"
    fi
    say "making $VENV with $("$python" --version)"
    "$python" -m venv --clear "$VENV"
}

# Installs the dependencies locked in $1, and the project; nothing to do if that lock is installed already.
install_locked() {
    local lock="$ROOT/packaging/$1" state
    local stamp="$VENV/$1.installed"
    # The programs of a virtual environment name its folder: one that was moved is made anew.
    if ! "$VENV/bin/python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 ||
        { [ -e "$VENV/root" ] && [ "$(cat "$VENV/root")" != "$ROOT" ]; }; then
        make_venv
    fi
    state=$(cat "$lock" "$ROOT/pyproject.toml" "$VENV/pyvenv.cfg" | cksum)
    [ "$(cat "$stamp" 2>/dev/null)" != "$state" ] || return 0
    say "installing the locked Python packages (about 100 MB, once)"
    local pip=("$VENV/bin/python" -m pip --disable-pip-version-check --quiet install)
    "${pip[@]}" --require-hashes --only-binary :all: -r "$lock" ||
        stop "the Python packages could not be installed; the lines above say why." \
            "They come from PyPI, so this needs the network once."
    "${pip[@]}" --no-deps --no-build-isolation --no-index --editable "$ROOT"
    printf '%s' "$ROOT" >"$VENV/root"
    printf '%s' "$state" >"$stamp"
}

# Qt's libraries: what it draws with, then what it needs to open a window under X11.
qt_packages() {
    apt_packages "libglib2.0-0t64|libglib2.0-0" libgl1 libegl1 libxkbcommon0 libfontconfig1 libdbus-1-3 \
        libxcb-cursor0 libxkbcommon-x11-0 libxcb-icccm4 libxcb-keysyms1 libxcb-shape0
}

# Shared libraries that Qt's plugin $1 (xcb, wayland, offscreen) looks for in vain.
qt_libraries_missing() {
    local plugins
    plugins=$("$VENV/bin/python" -c 'import PySide6; print(PySide6.__path__[0])')/Qt/plugins/platforms
    command -v ldd >/dev/null && [ -e "$plugins/libq$1.so" ] || return 0
    ldd "$plugins/libq$1.so" | awk '/not found/ { print $1 }' | sort -u
}
