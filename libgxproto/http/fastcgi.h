/* SPDX-License-Identifier: Apache-2.0 */
#ifndef GX_HTTP_FASTCGI_H
#define GX_HTTP_FASTCGI_H
/*
 * mod_fastcgi(4gx): fastcgi.c has the map and receives bodies, fcgiparam.c says what the script is told, fcgirun.c
 * talks to its server on a thread of its own, for as long as the script runs.
 */
#include <gx/httpmod.h>
#include "libgxproto/http/map.h"

enum { FCGI_BEGIN = 1, FCGI_END = 3, FCGI_PARAMS = 4, FCGI_STDIN = 5, FCGI_STDOUT = 6, FCGI_STDERR = 7 };
enum { FCGI_HEADER = 8, FCGI_CONTENT_MOST = 65535 };

struct gx_http_fastcgi {
	struct gx_http_fastcgi_opts o;
	char *server_name, *spool_dir, *map_path;
	pthread_rwlock_t map_lock;
	struct http_map map;
	pthread_mutex_t lock;
	pthread_cond_t ended;
	unsigned running;
};

/* What a request is for. */
struct fcgi_script {
	const char *socket, *root, *name, *file, *info, *extra; /* extra: names of headers, between '|' */
};

struct fcgi_job {
	struct gx_http_fastcgi *f;
	struct gx_http_req *r;
	struct fcgi_script script;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	bool started, gone, room;   /* under lock, as fd */
	int fd;                     /* to the script's server */
	struct gx_push body;        /* or, when it is large: */
	int spool;
	uint64_t body_len;
};

/* map and path; false: not a script's. */
bool gx_fcgi__find(struct gx_http_fastcgi *f, struct gx_http_req *r, struct fcgi_script *ret_s);
/* BEGIN_REQUEST and PARAMS. */
void gx_fcgi__put_head(const struct fcgi_job *j, struct gx_push *out);
void gx_fcgi__put_record(struct gx_push *out, uint8_t type, const void *p, size_t n);
/* The thread: ends with a call that finishes the request. */
void *gx_fcgi__run(void *job);
#endif
