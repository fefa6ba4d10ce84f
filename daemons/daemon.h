/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_DAEMONS_DAEMON_H
#define GX_DAEMONS_DAEMON_H
/* What every daemon does besides its work: options, configuration, log, signals, privileges. */
#include <stdio.h>
#include <gx/arena.h>
#include <gx/conf.h>
#include <gx/directives.h>
#include <gx/log.h>

struct daemon_spec {
	const char *program;
	const char *summary;            /* one line for --help */
	const char *const *files;       /* below the configuration directory, NULL-terminated; read without -c */
	unsigned groups;                /* bits 1 << GX_DIRECTIVES_*: the directives it uses */
	const char *log_file, *log_level, *fd_limit; /* names of directives */
	bool may_be_worker;             /* takes the options that make it have one store for another process */
};

/* One store, served at one socket to the process that started this one; see gx/exmdb-workers.h. */
struct worker_opts {
	const char *store, *socket;     /* NULL: no worker */
	int owner_fd;
};

struct daemon {
	const struct daemon_spec *spec;
	const struct gx_conf_key *tables[GX_DIRECTIVES_COUNT + 1], *foreign[GX_DIRECTIVES_COUNT + 1];
	struct gx_conf *conf;
	struct gx_arena *arena;         /* lives as long as the daemon */
	struct gx_log log;
	FILE *ready;                    /* --ready-fd, or NULL */
	const char *config;             /* -c, or NULL */
	struct worker_opts worker;
};

enum { EXIT_STARTED = -1, EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Options, configuration, log, descriptor limit, signals. EXIT_STARTED: go on; else end with that code. */
int daemon_begin(struct daemon *d, const struct daemon_spec *spec, int argc, char **argv);
/* Becomes running_identity when started by root. @return false after a message. */
bool daemon_drop_privileges(struct daemon *d);
/* Tells scripts which address a listener took. */
void daemon_announce(struct daemon *d, const char *service, const char *addr, unsigned port);
/* Tells scripts and the service manager that all is up. */
void daemon_ready(struct daemon *d);
enum daemon_order { ORDER_STOP, ORDER_RELOAD, ORDER_STATS };
/* Sleeps until a signal. */
enum daemon_order daemon_wait(struct daemon *d);
void daemon_end(struct daemon *d);

/* logsink.c: - (standard error or syslog), syslog, or a file. */
bool logsink_open(const char *program, const char *target, struct gx_log *ret_log);
/* The file again, after it was moved away. */
/* A file with a line for each synchronisation of a store. */
bool logsink_open_ics(const char *path, const struct gx_log *log, struct gx_log *ret_log);
void logsink_reopen(void);
void logsink_close(void);
#endif
