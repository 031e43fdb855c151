# SPDX-License-Identifier: Apache-2.0
include src/sim/cloud.mk
include src/sim/keys.mk
include src/sim/mgmt.mk
