#!/usr/bin/env bash
# Builds dist/hopwise_VERSION_ARCH.deb from the frozen program. Needs .venv (packaging/run.sh makes it) and dpkg-deb.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

.venv/bin/python -m pip --quiet install "pyinstaller>=6.22,<7"
.venv/bin/pyinstaller --noconfirm --log-level WARN packaging/hopwise.spec

version=$(.venv/bin/python -c 'import wizard; print(wizard.__version__)')
arch=$(dpkg --print-architecture)
tree=build/deb
rm -rf "$tree"
mkdir -p "$tree/opt" "$tree/usr/bin" "$tree/DEBIAN"
cp -r dist/hopwise "$tree/opt/hopwise"
ln -s /opt/hopwise/hopwise "$tree/usr/bin/hopwise"
install -Dm644 packaging/linux/org.hopwise.Hopwise.desktop -t "$tree/usr/share/applications"
install -Dm644 packaging/linux/org.hopwise.Hopwise.metainfo.xml -t "$tree/usr/share/metainfo"
install -Dm644 resources/icons/hopwise.svg -t "$tree/usr/share/icons/hicolor/scalable/apps"
install -Dm644 LICENSE "$tree/usr/share/doc/hopwise/copyright"
cat >"$tree/DEBIAN/control" <<CONTROL
Package: hopwise
Version: $version
Architecture: $arch
Maintainer: The Hopwise authors
Section: net
Priority: optional
Installed-Size: $(du -sk "$tree/opt" | cut -f1)
Depends: libc6 (>= $(ldd --version | awk 'NR == 1 { print $NF }')), libegl1, libgl1, libfontconfig1, libdbus-1-3,
 libglib2.0-0t64 | libglib2.0-0, libxkbcommon0, libxkbcommon-x11-0, libxcb-cursor0, libxcb-icccm4, libxcb-keysyms1, libxcb-shape0
Recommends: fonts-noto-cjk
Description: Finds the hop that stops a self-hosted service's ports
 Sends real packets along the path to a service (cloud firewall, router, tunnel, host
 firewall, container) and says which hop stops which port, how that is known, and what to do.
CONTROL
dpkg-deb --root-owner-group --build "$tree" "dist/hopwise_${version}_$arch.deb"
