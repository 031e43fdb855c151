# SPDX-License-Identifier: Apache-2.0
dist_pkgdata_DATA += cfg/sim-demo.yaml cfg/drill.yaml
