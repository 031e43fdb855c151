#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# compare.sh BUILD_DIR: two inventories of 100,000 records compared in memory. To reach: less than a second and 200 MB.
set -eu
make -s -C "$1" tests/bench/compare
for n in 10000 100000; do "$1/tests/bench/compare" "$n"; done
