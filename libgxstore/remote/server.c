/* SPDX-License-Identifier: Apache-2.0 */
/* Servers, which store is where, and connections that are used again. */
#include <config.h>
#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "libgxstore/remote/remote-int.h"

enum {
	PLACE_MS = 60000, PLACES = 32,      /* how long an answer of the directory counts, how many are kept of a hash */
	TRUST_MS = 3000,                    /* a connection that was used so recently is taken for alive */
	STALE_MS = 55000,                   /* servers hang up after 60 s */
	PING_MS = 5000,
	KEEP_BYTES = 1 << 20,               /* of a buffer between calls */
	KIND_MS = 600000,                   /* until a server that knew no extension is asked again */
	FIRST_PAUSE_MS = 5, MOST_PAUSE_MS = 100, ENDING_MS = 2000, /* while a process of this host may be ending */
};

gx_ec gx_remote__fail(struct gx_arena *a, int err, const char **ret_why, const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	const char *why = gx_arena_vprintf(a, fmt, ap);
	va_end(ap);
	*ret_why = why != NULL ? why : "out of memory";
	return err == GX_E_TIMEOUT ? GX_EC(ecTimeout) : err == GX_E_NOMEM ? GX_EC(ecMAPIOOM) : GX_EC(ecRpcFailed);
}

/* ---- Which server ---- */

static int server_new(struct gx_remote *r, const char *addr, struct gx_rserver **ret_s)
{
	pthread_condattr_t attr;
	struct gx_rserver *s = calloc(1, sizeof(*s));
	if (s == NULL || (s->addr = strdup(addr)) == NULL) {
		free(s);
		return GX_E_NOMEM;
	}
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	int err = pthread_mutex_init(&s->lock, NULL) != 0 ? GX_E_NOMEM : 0;
	if (err == 0 && pthread_mutex_init(&s->sublock, NULL) != 0) {
		pthread_mutex_destroy(&s->lock);
		err = GX_E_NOMEM;
	}
	if (err == 0 && pthread_cond_init(&s->cond, &attr) != 0) {
		pthread_mutex_destroy(&s->lock);
		pthread_mutex_destroy(&s->sublock);
		err = GX_E_NOMEM;
	}
	pthread_condattr_destroy(&attr);
	if (err != 0) {
		free(s->addr);
		free(s);
		return err;
	}
	s->r = r;
	s->tp = r->o.plain_server == NULL || strcmp(r->o.plain_server, addr) != 0 ? r->o.transport : NULL;
	s->stop_fd = -1;
	s->kind = r->o.plain ? GX_RK_PLAIN : GX_RK_UNKNOWN;
	*ret_s = s;
	return 0;
}

void gx_rserver__free(struct gx_rserver *s)
{
	gx_rlisten__stop(s);
	for (struct gx_rconn *c = s->idle, *next; c != NULL; c = next) {
		next = c->next;
		gx_rconn__free(c);
	}
	pthread_cond_destroy(&s->cond);
	pthread_mutex_destroy(&s->sublock);
	pthread_mutex_destroy(&s->lock);
	free(s->addr);
	free(s->dir);
	free(s);
}

/* With the lock held. */
static int by_addr(struct gx_remote *r, const char *addr, struct gx_rserver **ret_s)
{
	for (struct gx_rserver *s = r->servers; s != NULL; s = s->next)
		if (strcmp(s->addr, addr) == 0) {
			*ret_s = s;
			return 0;
		}
	int err = server_new(r, addr, ret_s);
	if (err != 0)
		return err;
	(*ret_s)->next = r->servers;
	r->servers = *ret_s;
	return 0;
}

static struct gx_rplace **bucket(struct gx_remote *r, const char *dir)
{
	uint32_t h = 2166136261U; /* FNV-1a */
	for (const char *p = dir; *p != '\0'; ++p)
		h = (h ^ (uint8_t)*p) * 16777619U;
	return &r->places[(h ^ h >> 16) % GX_RPLACES];
}

/* With the lock held. One that is too old goes; so does the oldest when there are too many. */
static struct gx_rserver *remembered(struct gx_remote *r, const char *dir)
{
	int64_t now = gx_rconn__now();
	unsigned n = 0;
	for (struct gx_rplace **at = bucket(r, dir); *at != NULL;) {
		struct gx_rplace *p = *at;
		if (now - p->at > PLACE_MS || ++n > PLACES) {
			*at = p->next;
			free(p);
			continue;
		}
		if (strcmp(p->dir, dir) == 0)
			return p->s;
		at = &p->next;
	}
	return NULL;
}

static void remember(struct gx_remote *r, const char *dir, struct gx_rserver *s)
{
	size_t n = strlen(dir) + 1;
	struct gx_rplace *p = malloc(sizeof(*p) + n), **at = bucket(r, dir);
	if (p == NULL)
		return;
	p->s = s;
	p->at = gx_rconn__now();
	memcpy(p->dir, dir, n);
	p->next = *at;
	*at = p;
}

void gx_remote__forget_places(struct gx_remote *r)
{
	for (unsigned i = 0; i < GX_RPLACES; ++i) {
		for (struct gx_rplace *p = r->places[i], *next; p != NULL; p = next) {
			next = p->next;
			free(p);
		}
	}
}

gx_ec gx_rserver__find(struct gx_remote *r, const char *dir, struct gx_arena *a, struct gx_rserver **ret_s, const char **ret_why)
{
	const char *addr = r->server;
	pthread_mutex_lock(&r->lock);
	struct gx_rserver *s = addr == NULL ? remembered(r, dir) : NULL;
	pthread_mutex_unlock(&r->lock);
	if (s != NULL) {
		*ret_s = s;
		return GX_EC(ecSuccess);
	}
	if (addr == NULL) {
		int err = r->o.locate(dir, a, &addr, r->o.locate_ctx);
		if (err == GX_E_NOTFOUND) {
			(void)gx_remote__fail(a, err, ret_why, "%s: no server has this store", dir);
			return GX_EC(ecNotFound);
		}
		if (err != 0)
			return gx_remote__fail(a, err, ret_why, "%s: its server cannot be found out: %s", dir, gx_strerror(err));
	}
	pthread_mutex_lock(&r->lock);
	int err = by_addr(r, addr, ret_s);
	if (err == 0 && r->server == NULL)
		remember(r, dir, *ret_s);
	pthread_mutex_unlock(&r->lock);
	return err == 0 ? GX_EC(ecSuccess) : gx_remote__fail(a, err, ret_why, "%s", gx_strerror(err));
}

/* ---- Connections ---- */

/* connect on a new one. *ret_code tells a refusal. */
static int say_connect(struct gx_rserver *s, struct gx_rconn *c, const char *dir, bool is_private, struct gx_arena *a, int64_t until, uint8_t *ret_code)
{
	struct gx_push f = GX_PUSH_INIT;
	struct gx_bin body;
	struct gx_x_connect_req q = {s->r->remote_id, is_private};
	int err = gx_xframe_push_request(&f, a, dir, GX_X_CONNECT, &q);
	if (err == 0)
		err = gx_rconn__exchange(c, &f, 64, until, ret_code, &body);
	gx_push_release(&f);
	return err;
}

bool gx_rserver__still(struct gx_rserver *s, const char *dir, struct gx_arena *a)
{
	const char *addr;
	return s->r->server == NULL && s->r->o.locate(dir, a, &addr, s->r->o.locate_ctx) == 0 && strcmp(addr, s->addr) == 0;
}

/* One that is connected and has said so; a refusal is in *ret_code, and nothing is open. */
static int dial_once(struct gx_rserver *s, const char *dir, bool is_private, int64_t limit, struct gx_arena *a, struct gx_rconn **ret_c,
	uint8_t *ret_code, char *why)
{
	int err = gx_rconn__dial(s->addr, s->tp, limit, ret_c, why);
	if (err != 0)
		return err;
	err = say_connect(s, *ret_c, dir, is_private, a, limit, ret_code);
	if (err != 0)
		snprintf(why, GX_WHY_SIZE, "handshake: %s", gx_rconn__why(*ret_c, err));
	if (err != 0 || *ret_code != GX_XC_SUCCESS)
		gx_rconn__free(*ret_c);
	return err;
}

/*
 * Who knows where stores are may have started the server for us: when it is not there, it is asked again. A process of this
 * host that is about to end has closed its socket before it can be seen to be gone; it is asked for until another is there.
 */
static int dial(struct gx_rserver *s, const char *dir, bool is_private, int64_t limit, struct gx_arena *a, struct gx_rconn **ret_c,
	uint8_t *ret_code, char *why)
{
	int64_t pause_ms = 0, now = gx_rconn__now(), until = limit < now + ENDING_MS ? limit : now + ENDING_MS;
	for (;;) {
		int err = dial_once(s, dir, is_private, limit, a, ret_c, ret_code, why);
		bool gone = err == GX_E_IO || err == GX_E_TRUNC;
		if (!gone || gx_rconn__now() + pause_ms >= until || (pause_ms > 0 && *s->addr != '/') || !gx_rserver__still(s, dir, a))
			return err;
		nanosleep(&(struct timespec){.tv_nsec = pause_ms * 1000000}, NULL);
		pause_ms = pause_ms == 0 ? FIRST_PAUSE_MS : pause_ms * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : pause_ms * 2;
	}
}

static int64_t connect_limit(const struct gx_rserver *s, int64_t until)
{
	int64_t limit = gx_rconn__now() + s->r->o.connect_ms;
	return until < limit ? until : limit;
}

void gx_rserver__tell(struct gx_rserver *s, const char *why)
{
	pthread_mutex_lock(&s->lock);
	bool news = strcmp(s->told, why) != 0;
	s->trying = false;
	s->failed_at = gx_rconn__now();
	if (news)
		snprintf(s->told, sizeof(s->told), "%s", why);
	pthread_mutex_unlock(&s->lock);
	if (news && *why != '\0')
		gx_log(s->r->o.log, GX_LOG_WARN, "exmdb: %s cannot be reached: %s", s->addr, why);
	else if (news)
		gx_log(s->r->o.log, GX_LOG_NOTICE, "exmdb: %s is reached again", s->addr);
}

static gx_ec refusal(struct gx_rserver *s, const char *dir, uint8_t code, struct gx_arena *a, const char **ret_why)
{
	(void)gx_remote__fail(a, GX_E_IO, ret_why, "%s: %s: %s", s->addr, dir, gx_xcode_text(code));
	return gx_exmdb__refusal(code);
}

/* One is enough to find out whether it is back. */
static bool may_try(struct gx_rserver *s, char *why)
{
	pthread_mutex_lock(&s->lock);
	bool down = s->told[0] != '\0' && s->r->o.retry_ms != 0;
	bool yes = !down || (!s->trying && gx_rconn__now() >= s->failed_at + s->r->o.retry_ms);
	s->trying = s->trying || (down && yes);
	snprintf(why, GX_WHY_SIZE, "%s", s->told);
	pthread_mutex_unlock(&s->lock);
	return yes;
}

/* Most stores are private ones; a server says when this one is not, and hangs up. */
static gx_ec open_conn(struct gx_rserver *s, const char *dir, int64_t until, struct gx_arena *a, struct gx_rconn **ret_c, const char **ret_why)
{
	char why[GX_WHY_SIZE];
	uint8_t code = GX_XC_MISCONFIG_MODE;
	int64_t limit = connect_limit(s, until);
	if (!may_try(s, why))
		return gx_remote__fail(a, GX_E_IO, ret_why, "%s: %s", s->addr, why);
	for (int is_private = 1; is_private >= 0 && code == GX_XC_MISCONFIG_MODE; --is_private) {
		int err = dial(s, dir, is_private, limit, a, ret_c, &code, why);
		gx_rserver__tell(s, err != 0 ? why : "");
		if (err != 0)
			return gx_remote__fail(a, err, ret_why, "%s: %s", s->addr, why);
	}
	return code == GX_XC_SUCCESS ? GX_EC(ecSuccess) : refusal(s, dir, code, a, ret_why);
}

/* With the lock held. False: the time is up. */
static bool wait_turn(struct gx_rserver *s, int64_t until)
{
	struct timespec ts = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
	while (s->idle == NULL && s->conns >= s->r->o.max_conns) {
		int err = until == INT64_MAX ? pthread_cond_wait(&s->cond, &s->lock) : pthread_cond_timedwait(&s->cond, &s->lock, &ts);
		if (err == ETIMEDOUT)
			return false;
	}
	return true;
}

/* An idle connection if there is one, NULL for the right to open another. False: the time is up. */
static bool take_idle(struct gx_rserver *s, int64_t until, struct gx_rconn **ret_c)
{
	pthread_mutex_lock(&s->lock);
	bool ok = wait_turn(s, until);
	*ret_c = NULL;
	if (ok && s->idle != NULL) {
		*ret_c = s->idle;
		s->idle = (*ret_c)->next;
		--s->idle_count;
	} else if (ok) {
		++s->conns;
	}
	pthread_mutex_unlock(&s->lock);
	return ok;
}

static void leave(struct gx_rserver *s)
{
	pthread_mutex_lock(&s->lock);
	--s->conns;
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

static bool alive(struct gx_rconn *c, int64_t until)
{
	int64_t now = gx_rconn__now(), age = now - c->used_ms, limit = now + PING_MS;
	if (age < TRUST_MS)
		return true;
	return age < STALE_MS && gx_rconn__ping(c, until < limit ? until : limit);
}

gx_ec gx_rserver__take(struct gx_rserver *s, const char *dir, int64_t until, struct gx_arena *a, struct gx_rconn **ret_c, const char **ret_why)
{
	for (;;) {
		if (!take_idle(s, until, ret_c))
			return gx_remote__fail(a, GX_E_TIMEOUT, ret_why, "%s: no connection became free in time", s->addr);
		if (*ret_c == NULL)
			break;
		if (alive(*ret_c, until))
			return GX_EC(ecSuccess);
		gx_rconn__free(*ret_c);
		leave(s);
	}
	gx_ec ec = open_conn(s, dir, until, a, ret_c, ret_why);
	if (gx_ec_failed(ec))
		leave(s);
	return ec;
}

gx_ec gx_rserver__connect(struct gx_rserver *s, const char *dir, bool is_private, int64_t until, struct gx_arena *a, const char **ret_why)
{
	char why[GX_WHY_SIZE];
	struct gx_rconn *c;
	uint8_t code;
	int err = dial(s, dir, is_private, connect_limit(s, until), a, &c, &code, why);
	gx_rserver__tell(s, err != 0 ? why : "");
	if (err != 0)
		return gx_remote__fail(a, err, ret_why, "%s: %s", s->addr, why);
	if (code != GX_XC_SUCCESS)
		return refusal(s, dir, code, a, ret_why);
	pthread_mutex_lock(&s->lock);
	++s->conns;
	pthread_mutex_unlock(&s->lock);
	gx_rserver__give(s, c, true);
	return GX_EC(ecSuccess);
}

void gx_rserver__give(struct gx_rserver *s, struct gx_rconn *c, bool usable)
{
	pthread_mutex_lock(&s->lock);
	bool keep = usable && s->idle_count < s->r->o.max_idle;
	if (c->cap > KEEP_BYTES) {
		free(c->buf);
		c->buf = NULL;
		c->cap = c->len = 0;
	}
	if (keep) {
		c->used_ms = gx_rconn__now();
		c->next = s->idle;
		s->idle = c;
		++s->idle_count;
	} else {
		--s->conns;
	}
	pthread_cond_signal(&s->cond);
	pthread_mutex_unlock(&s->lock);
	if (!keep)
		gx_rconn__free(c);
}

/* ---- What it can do ---- */

/* A server that does not know the call says pull_error and hangs up. */
static enum gx_rkind ask(struct gx_rserver *s, struct gx_rconn *c, const char *dir, struct gx_arena *a, int64_t until, bool *ret_usable,
	uint32_t *ret_features)
{
	struct gx_push f = GX_PUSH_INIT;
	struct gx_bin body;
	struct gx_x_features_req q = {GX_X_FEATURE_BATCH | GX_X_FEATURE_STORE};
	struct gx_x_features_ans ans = {0};
	uint8_t code = GX_XC_INVALID;
	int err = gx_xframe_push_request(&f, a, dir, GX_X_FEATURES, &q);
	if (err == 0)
		err = gx_rconn__exchange(c, &f, 64, until, &code, &body);
	gx_push_release(&f);
	*ret_usable = err == 0 && code == GX_XC_SUCCESS;
	if (*ret_usable && gx_xframe_pull_answer(body, a, gx_exmdb_call_desc(GX_X_FEATURES), &ans) == 0 && (ans.granted & GX_X_FEATURE_BATCH)) {
		*ret_features = ans.granted;
		return GX_RK_OURS;
	}
	return (err == 0 && code == GX_XC_PULL_ERROR) || err == GX_E_TRUNC || *ret_usable ? GX_RK_PLAIN : GX_RK_UNKNOWN;
}

gx_ec gx_rserver__kind(struct gx_rserver *s, const char *dir, int64_t until, struct gx_arena *a, enum gx_rkind *ret_kind, const char **ret_why)
{
	struct gx_rconn *c;
	bool usable;
	uint32_t features = 0;
	pthread_mutex_lock(&s->lock);
	if (s->kind == GX_RK_PLAIN && !s->r->o.plain && gx_rconn__now() - s->kind_at > KIND_MS)
		s->kind = GX_RK_UNKNOWN;
	*ret_kind = s->kind;
	pthread_mutex_unlock(&s->lock);
	if (*ret_kind != GX_RK_UNKNOWN)
		return GX_EC(ecSuccess);
	gx_ec ec = gx_rserver__take(s, dir, until, a, &c, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	*ret_kind = ask(s, c, dir, a, until, &usable, &features);
	gx_rserver__give(s, c, usable);
	pthread_mutex_lock(&s->lock);
	s->kind = *ret_kind;
	s->features = features;
	s->kind_at = gx_rconn__now();
	pthread_mutex_unlock(&s->lock);
	return *ret_kind != GX_RK_UNKNOWN ? GX_EC(ecSuccess) : gx_remote__fail(a, GX_E_IO, ret_why, "%s: no answer", s->addr);
}
