/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DAEMONS_SERVICES_H
#define GX_DAEMONS_SERVICES_H
/*
 * Wiring: what the libraries offer, put together as the configuration says. A daemon calls the
 * ones it wants in this order; each says what went wrong, and services_main() undoes them in reverse.
 */
#include <stdatomic.h>
#include <gx/authlimit.h>
#include <gx/autodiscover.h>
#include <gx/delivery.h>
#include <gx/directory.h>
#include <gx/exmdb-remote.h>
#include <gx/exmdb-server.h>
#include <gx/exmdb-workers.h>
#include <gx/httpauth.h>
#include <gx/httpmod.h>
#include <gx/httprelay.h>
#include <gx/imap.h>
#include <gx/mapihttp-server.h>
#include <gx/net.h>
#include <gx/oab.h>
#include <gx/outgoing.h>
#include <gx/smtp.h>
#include <gx/store.h>
#include "daemons/daemon.h"

/* How a service is listened for. */
struct service {
	const char *name;
	const char *listen, *listen_tls, *haproxy;          /* directives */
	const char *cert, *key, *passwd, *client_ca;
	const char *busy;
	struct gx_engine_factory factory;
	uint32_t stall_ms;
	bool tls_wanted;                                    /* a certificate is a must */
};

/* HTTP and what is behind it (web.c). */
struct web {
	struct gx_http *http;
	struct gx_tls *tls;
	struct gx_jwt *jwt;
	struct gx_http_helper *helper; /* Negotiate */
	struct gx_authlimit *limit;
	struct gx_http_dircheck check;
	struct gx_http_auth *auth;
	struct gx_http_rewrite *rewrite;
	struct gx_http_files *files;
	struct gx_http_fastcgi *fastcgi;
	struct gx_outgoing *outgoing;
	struct gx_ems *ems;
	struct gx_nsp *nsp;
	struct gx_oab *oab;
	struct gx_mh *mh;
	struct gx_http_relay *relay;   /* to who has the sessions */
	struct gx_disco_boxes *boxes;  /* whose store a request is for */
	const char *at;                /* socket of istore's sessions */
	const char *outbox;            /* where processes of stores note mail that waits */
	const uint32_t *uids;          /* who may use it */
	size_t nuids;
	struct gx_disco *disco;
	atomic_uint sessions;
	atomic_bool sending;
};

struct services {
	struct daemon *d;
	struct gx_conf *conf;
	struct gx_arena *arena;
	const struct gx_log *log;
	struct gx_log ics_log;       /* exmdb_ics_log_file */
	const char *host;
	struct gx_net *net;
	struct gx_tls *imap_tls, *smtp_tls, *exmdb_tls;
	struct gx_dir *dir;
	struct gx_store_pool *pool;
	struct gx_exmdb *owner;      /* of stores that are not ours */
	struct gx_exmdb_transport *owner_tls; /* to other hosts; NULL: in the clear */
	const char *owner_addr;      /* on this host */
	bool owner_plain;            /* that one is never spoken to over TLS */
	struct gx_authlimit *limit;
	struct gx_journal *journal;
	struct gx_delivery *delivery;
	struct gx_imap_server imap;
	struct gx_smtp_server smtp;
	struct web web;
	struct gx_exmdb_host *exmdb_host;
	struct gx_exmdb_server *exmdb;
	struct gx_workers *workers;  /* processes with one store each */
	const char *workers_only;    /* the one store that has a process of its own */
	unsigned idle_ticks;
	bool tick_always;            /* no connection would wake the tick */
	atomic_bool ticking;
	atomic_uint stores_open;
};

/* Logs why the program cannot go on; @p what may be "", @p why NULL. @return false. */
bool services_fail(const struct services *s, const char *what, int err, const char *why);
/* What a directive says, "" when nothing. */
const char *services_str(const struct services *s, const char *key);
/* What a directive says in seconds. */
uint32_t services_ms(const struct services *s, const char *key);

bool services_begin(struct services *s, struct daemon *d);
/* Ports are bound and keys read while the program may still be root. */
bool services_listen_imap(struct services *s);
bool services_listen_smtp(struct services *s);
bool services_listen_exmdb(struct services *s);
bool services_listen_http(struct services *s);
/* listen.c, for these: the certificate, and the addresses of a directive. */
bool services_open_tls(struct services *s, const struct service *v, struct gx_tls **ret_tls);
bool services_listen_on(struct services *s, const struct service *v, const char *directive, struct gx_tls *tls, bool implicit);
bool services_listen_at(struct services *s, const struct service *v, const char *directive, const char *addrs, struct gx_tls *tls, bool implicit);
/* exmdb.c. Of the users that a directive names. NULL: the system does not know one. */
const uint32_t *services_user_ids(struct services *s, const char *directive, size_t *ret_n);
/* data.c. */
bool services_open_directory(struct services *s);
/* For connections to owners on other hosts; keys are read while the program may still be root. */
bool services_load_owner_tls(struct services *s);
/* As the owner of those that lie on this host; others through the server that has them. */
bool services_open_stores(struct services *s);
/* All of them through istore, or the server that has them (owner.c). */
bool services_reach_stores(struct services *s);
/* For both. */
bool services_make_pool(struct services *s, bool (*elsewhere)(const char *dir, void *ctx));
bool services_make_owner(struct services *s);
bool services_is_elsewhere(const char *dir, void *ctx);
/* In one of the processes that have a store each: others through the one that started it. */
bool services_open_one_store(struct services *s);
/* workers.c: processes for the stores, when istore_standalone wants that; or this is one of them. */
bool services_open_workers(struct services *s);
void services_tick_workers(struct services *s);
int services_relay(const char *remote_id, struct gx_exmdb **ret_x, void *services);
/* What answers the calls of the exmdb protocol, on the stores of this process or its workers. */
bool services_open_exmdb(struct services *s);
/* Not where each store has a process of its own, and nothing is between. */
bool services_may_have_stores(struct services *s);
/* Does a process of its own serve the exmdb protocol? */
bool services_istore_apart(const struct services *s);
/* What HTTP leads to: logins, Outlook's mailboxes, scripts and files (web.c). */
bool services_open_web(struct services *s);
/* sessions.c: Outlook's, in this process; or in istore, to which requests are handed on. */
bool services_have_sessions(struct services *s);
bool services_relay_sessions(struct services *s);
/* The same from istore's side: a Unix socket, and what is behind it. */
bool services_listen_sessions(struct services *s);
bool services_open_sessions(struct services *s);
/* Processes of stores run while mail waits for them. */
void services_tick_sessions(struct services *s);
void services_tick_web(struct services *s);
/* Mail that waits is sent by a worker. @return whether there is any. */
bool services_send_mail(struct services *s);
void services_reload_web(struct services *s, struct gx_arena *a);
void services_report_web(struct services *s);
void services_end_web(struct services *s);
/* Failed logins; @p times: the directive that says how many. */
bool services_make_limit(struct services *s, const char *times, struct gx_authlimit **ret_limit);
/* @param external: another process delivers. */
bool services_open_journal(struct services *s, bool external);
/* From the journal of this process, or following that of another. */
bool services_start_delivery(struct services *s);
/* Accepts connections from now on. */
bool services_start(struct services *s);
/* Options, then @p start, which calls the above; then runs until told to stop. @return exit code. */
int services_main(const struct daemon_spec *spec, bool (*start)(struct services *s, struct daemon *d), int argc, char **argv);
#endif
