/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_EXMDB_TLS_H
#define GX_EXMDB_TLS_H
/**
 * @file exmdb-tls.h
 * TLS under the client of the exmdb protocol (gx/exmdb-remote.h). Thread class: locked.
 */
#include <gx/exmdb-remote.h>

#ifdef __cplusplus
extern "C" {
#endif

struct gx_exmdb_tls_opts {
	size_t size;
	const char *ca_path;              /**< PEM file of authorities for the server's certificate; NULL: those of the system */
	const char *cert_path, *key_path; /**< own certificate, colon-separated PEM files; NULL: none is shown */
	const char *key_password;
	const char *server_name;          /**< name that the server's certificate must have; NULL: that which is dialled */
	const char *min_proto;            /**< as tls_min_proto; NULL: tls1.2 */
};
#define GX_EXMDB_TLS_OPTS_INIT {.size = sizeof(struct gx_exmdb_tls_opts)}
/** @p ret_why names file and remedy. */
GX_API int gx_exmdb_tls_new(const struct gx_exmdb_tls_opts *o, struct gx_exmdb_transport **ret_t, struct gx_arena *a,
	const char **ret_why) GX_MUST_CHECK;
/** Reads the files again (SIGHUP); connections that stand keep what they have. When it fails, all stays as it was. */
GX_API int gx_exmdb_tls_reload(struct gx_exmdb_transport *t, struct gx_arena *a, const char **ret_why) GX_MUST_CHECK;
/** After every client that uses it. Accepts NULL. */
GX_API void gx_exmdb_tls_free(struct gx_exmdb_transport *t);

#ifdef __cplusplus
}
#endif
#endif
