#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes configure from a checkout; a release tarball has it already.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
autoreconf --install --force
for d in /usr/share/automake-*; do
	[ -f "$d/tap-driver.sh" ] && cp "$d/tap-driver.sh" build-aux/
done
