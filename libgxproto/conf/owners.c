/* SPDX-License-Identifier: Apache-2.0 */
/* How stores of other processes and hosts are reached, by the directives of the group EXMDB. */
#include <config.h>
#include <string.h>
#include <gx/directives.h>
#include <gx/exmdb-tls.h>

/* An address that means any is none to go to. */
static const char *loopback(struct gx_arena *a, const char *addr)
{
	static const struct {
		const char *any, *own;
	} v[] = {{"[::]", "[::1]"}, {"0.0.0.0", "127.0.0.1"}, {"*", "[::1]"}};
	for (size_t i = 0; i < sizeof(v) / sizeof(*v); ++i) {
		size_t n = strlen(v[i].any);
		if (strncmp(addr, v[i].any, n) == 0 && (addr[n] == ':' || addr[n] == '\0'))
			return gx_arena_printf(a, "%s%s", v[i].own, addr + n);
	}
	return addr;
}

/* A socket tells the server who we are. */
const char *gx_directives_exmdb_home(const struct gx_conf *c, struct gx_arena *a, bool *ret_plain)
{
	const char *set = gx_conf_str(c, "exmdb_server"), *first = NULL;
	*ret_plain = *set == '\0';
	if (*set != '\0')
		return set;
	const char *addrs = gx_directives_exmdb(c, a, NULL);
	const char *const *w = addrs == NULL ? NULL : gx_conf_words(a, addrs);
	for (; w != NULL && *w != NULL; ++w) {
		if (**w == '/')
			return *w;
		if (first == NULL)
			first = loopback(a, *w);
	}
	return first;
}

const char *gx_directives_exmdb_peer(const struct gx_conf *c, const char *host, struct gx_arena *a)
{
	uint64_t port = gx_conf_uint(c, "exmdb_client_port");
	if (port == 0)
		port = gx_conf_uint(c, "exmdb_listen_port");
	return gx_arena_printf(a, strchr(host, ':') != NULL ? "[%s]:%u" : "%s:%u", host, (unsigned)port);
}

/* The first of the groups that names a certificate; key and password are of the same. */
static void find_certificate(const struct gx_conf *c, struct gx_exmdb_tls_opts *o)
{
	static const char *const groups[][3] = {
		{"exmdb_client_certificate_path", "exmdb_client_private_key_path", "exmdb_client_certificate_passwd"},
		{"exmdb_certificate_path", "exmdb_private_key_path", "exmdb_certificate_passwd"},
		{"tls_certificate_path", "tls_private_key_path", "tls_certificate_passwd"},
	};
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups) && o->cert_path == NULL; ++i) {
		if (*gx_conf_str(c, groups[i][0]) == '\0')
			continue;
		o->cert_path = gx_conf_str(c, groups[i][0]);
		o->key_path = gx_conf_str(c, groups[i][1]);
		o->key_password = *gx_conf_str(c, groups[i][2]) != '\0' ? gx_conf_str(c, groups[i][2]) : NULL;
	}
}

bool gx_directives_exmdb_tls(const struct gx_conf *c, struct gx_exmdb_tls_opts *ret_o)
{
	struct gx_exmdb_tls_opts o = GX_EXMDB_TLS_OPTS_INIT;
	const char *ca = gx_conf_str(c, "exmdb_server_ca_path");
	find_certificate(c, &o);
	o.ca_path = *ca != '\0' ? ca : NULL;
	o.min_proto = gx_conf_str(c, "tls_min_proto");
	*ret_o = o;
	return gx_conf_bool(c, "exmdb_client_tls");
}
