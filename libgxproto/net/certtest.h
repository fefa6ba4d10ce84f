/* SPDX-License-Identifier: Apache-2.0 */
/* A certificate for a host, signed by itself, for tests and benches. */
#ifndef GX_CERTTEST_H
#define GX_CERTTEST_H
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

static inline bool cert_write(const char *path, int err, gnutls_datum_t *pem)
{
	FILE *f = err == 0 ? fopen(path, "w") : NULL;
	bool ok = f != NULL && fwrite(pem->data, 1, pem->size, f) == pem->size;
	ok = f != NULL && fclose(f) == 0 && ok;
	if (err == 0)
		gnutls_free(pem->data);
	return ok;
}

static inline bool cert_make(const char *name, const char *cert_path, const char *key_path)
{
	gnutls_x509_privkey_t key;
	gnutls_x509_crt_t crt;
	gnutls_datum_t pem = {NULL, 0};
	gnutls_x509_privkey_init(&key);
	gnutls_x509_privkey_generate(key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0);
	gnutls_x509_crt_init(&crt);
	gnutls_x509_crt_set_version(crt, 3);
	gnutls_x509_crt_set_serial(crt, "\1", 1);
	gnutls_x509_crt_set_dn_by_oid(crt, GNUTLS_OID_X520_COMMON_NAME, 0, name, (unsigned)strlen(name));
	gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, name, (unsigned)strlen(name), GNUTLS_FSAN_SET);
	gnutls_x509_crt_set_activation_time(crt, time(NULL) - 3600);
	gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
	gnutls_x509_crt_set_key(crt, key);
	bool ok = gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0) == 0;
	ok = ok && cert_write(cert_path, gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), &pem);
	ok = ok && cert_write(key_path, gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), &pem);
	gnutls_x509_crt_deinit(crt);
	gnutls_x509_privkey_deinit(key);
	return ok;
}

#endif
