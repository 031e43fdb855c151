# SPDX-License-Identifier: Apache-2.0
dist_pkgdata_DATA += cfg/sim-demo.yaml cfg/drill.yaml cfg/waivers.yaml cfg/inventory.schema.json cfg/plan.schema.json cfg/report.schema.json
