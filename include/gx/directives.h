/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DIRECTIVES_H
#define GX_DIRECTIVES_H
/**
 * @file directives.h
 * The directives that the programs know, in groups for gx_conf_new(), and what several programs
 * do with them alike. Thread class: immutable.
 */
#include <gx/conf.h>

#ifdef __cplusplus
extern "C" {
#endif

enum {
	GX_DIRECTIVES_GENERAL, /**< directory, names, TLS, limits */
	GX_DIRECTIVES_MYSQL,   /**< a directory on MariaDB */
	GX_DIRECTIVES_GROMOXD,
	GX_DIRECTIVES_IMAP,
	GX_DIRECTIVES_SMTP,    /**< LMTP and SMTP reception */
	GX_DIRECTIVES_QUEUE,   /**< the journal between reception and delivery */
	GX_DIRECTIVES_DELIVERY,
	GX_DIRECTIVES_STORE,
	GX_DIRECTIVES_EXMDB,   /**< the exmdb protocol's server */
	GX_DIRECTIVES_ISTORE,
	GX_DIRECTIVES_SNAPSHOT, /**< gromox-snapshot */
	GX_DIRECTIVES_HTTP,
	GX_DIRECTIVES_EMS,     /**< mailboxes for Outlook */
	GX_DIRECTIVES_DISCOVER, /**< where clients learn of them */
	GX_DIRECTIVES_NSP,     /**< the address book */
	GX_DIRECTIVES_COUNT
};
/** A table for gx_conf_new(); NULL outside the list. Static. */
GX_API const struct gx_conf_key *gx_directives(unsigned group);

struct gx_arena;
struct gx_dir_opts;
struct gx_exmdb_tls_opts;
/**
 * Fills in how the directory is to be opened, from the groups GENERAL and MYSQL of @p c. Texts are borrowed from @p c and @p a.
 * GX_E_INVAL, and a line in @p log, when a value makes no sense.
 */
GX_API int gx_directives_directory(const struct gx_conf *c, const struct gx_log *log, struct gx_arena *a, struct gx_dir_opts *ret_o) GX_MUST_CHECK;
/**
 * Where the exmdb protocol is served, by exmdb_listen or its older forms, as gx_conf_words() splits it; NULL out of
 * memory. @p ret_directive may be NULL.
 */
GX_API const char *gx_directives_exmdb(const struct gx_conf *c, struct gx_arena *a, const char **ret_directive);
/**
 * Where the stores of this host are reached: exmdb_server, or the first of gx_directives_exmdb(), a Unix socket before others.
 * NULL: nowhere, or out of memory. @p ret_plain: never over TLS.
 */
GX_API const char *gx_directives_exmdb_home(const struct gx_conf *c, struct gx_arena *a, bool *ret_plain);
/** The address of the owner of stores on another host, by its name or number; NULL out of memory. */
GX_API const char *gx_directives_exmdb_peer(const struct gx_conf *c, const char *host, struct gx_arena *a);
/**
 * How owners of stores on other hosts are reached over TLS, from the groups EXMDB and GENERAL: for gx_exmdb_tls_new(). Texts are
 * borrowed from @p c. False: in the clear, exmdb_client_tls is off; @p ret_o is filled all the same.
 */
GX_API bool gx_directives_exmdb_tls(const struct gx_conf *c, struct gx_exmdb_tls_opts *ret_o);
struct gx_store_opts;
/** What an administrator may choose of stores, from the group STORE of @p c; the rest of @p o stays. */
GX_API void gx_directives_store(const struct gx_conf *c, struct gx_store_opts *o);
/** exmdb_file_compression, of the group STORE, for gx_store_set_compression(). GX_E_INVAL, and a line in @p log, when it makes no sense. */
GX_API int gx_directives_compression(const struct gx_conf *c, const struct gx_log *log, int *ret_level) GX_MUST_CHECK;
/** Language of the folders of users who have none, from the group GENERAL. Borrowed from @p c. */
GX_API const char *gx_directives_lang(const struct gx_conf *c);
struct gx_nsp_opts;
struct gx_ems_opts;
/**
 * Limits of Outlook's sessions, from the groups EMS and EXMDB of @p c; the rest of @p o stays. Texts are borrowed from @p c. GX_E_INVAL,
 * and a line in @p log, when a value makes no sense.
 */
GX_API int gx_directives_ems(const struct gx_conf *c, const struct gx_log *log, struct gx_ems_opts *o) GX_MUST_CHECK;
/** How the address book is kept, from the groups NSP and EXMDB of @p c; the rest of @p o stays. Texts are borrowed from @p c. */
GX_API void gx_directives_nsp(const struct gx_conf *c, struct gx_nsp_opts *o);
struct gx_disco_opts;
/**
 * What clients are told, from the groups DISCOVER, EMS, EXMDB and GENERAL of @p c; the rest of @p o stays. Texts are borrowed from
 * @p c and @p a. GX_E_INVAL, and a line in @p log, when a value makes no sense.
 */
GX_API int gx_directives_discover(const struct gx_conf *c, const struct gx_log *log, struct gx_arena *a, struct gx_disco_opts *o) GX_MUST_CHECK;
/** reported_server_version, NULL after a line in @p log when it has not the form of one. */
GX_API const char *gx_directives_server_version(const struct gx_conf *c, const struct gx_log *log);
/** host_id, or the name that the system has; NULL out of memory. */
GX_API const char *gx_directives_host(const struct gx_conf *c, struct gx_arena *a);

#ifdef __cplusplus
}
#endif
#endif
