/* SPDX-License-Identifier: Apache-2.0 */
/* The other small files of the client: settings, certificates, versions. Pure: text in, JSON out. */
#ifndef CHSM_CLIENT_SETTINGS_H
#define CHSM_CLIENT_SETTINGS_H

#include "util/json.h"

/*
 * azcloudhsm_application.cfg: lines KEY=value, blanks around both do not count, nor do lines that begin with "#". *ret is an object of
 * strings, the caller's; of a key that is there twice the last value counts. Signatures in URLs are left out. CHSM_CONFIG for a line
 * that is neither, with its number.
 */
CHSM_MUST_CHECK int chsm_settings_parse(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err);

/*
 * azcloudhsm_client.cfg and azcloudhsm_mgmt_util.cfg, of which only relatives are published: JSON with host names somewhere
 * ("hostname") and paths of owner certificates ("e2e_owner_crt_path", "owner_cert_path"). *ret is {"hosts": [...], "certificates": [...]}.
 */
CHSM_MUST_CHECK int chsm_settings_daemon(const char *text, size_t n, const char *what, json_t **ret, struct chsm_err *err);

/*
 * A certificate (PEM or DER): {"subject": as openssl prints it, "sha256": hexadecimal, "not_before", "not_after": RFC 3339}. CHSM_CONFIG when it is none.
 */
CHSM_MUST_CHECK int chsm_settings_certificate(const char *data, size_t n, const char *what, json_t **ret, struct chsm_err *err);

#endif
