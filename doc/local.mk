# SPDX-License-Identifier: Apache-2.0
dist_man1_MANS += doc/man/chsmctl.1
if ENABLE_SIM
dist_man1_MANS += doc/man/chsm-sim.1
endif
dist_doc_DATA += doc/ARCHITECTURE.md doc/EVIDENCE.md doc/PERFORMANCE.md
EXTRA_DIST += doc/report.png
# Also packed where the simulator is not built.
EXTRA_DIST += doc/man/chsm-sim.1
