/* SPDX-License-Identifier: Apache-2.0 */
/* The event connection of a server: one thread reads it, subscriptions are made again after a loss. */
#include <config.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include "libgxstore/remote/remote-int.h"

enum {
	FIRST_PAUSE_MS = 1000, MOST_PAUSE_MS = 32000,
	SILENCE_MS = 120000, /* a server pings after 57 s */
};

struct gx_rsub {
	struct gx_rsub *next;
	struct gx_x_subscribe_notification_req req;
	uint32_t ours, theirs;       /* theirs 0: not made there at the moment */
	char dir[];
};

/* ---- Subscriptions, under sublock ---- */

static struct gx_rsub **find_ours(struct gx_rserver *s, const char *dir, uint32_t id)
{
	struct gx_rsub **at = &s->subs;
	while (*at != NULL && ((*at)->ours != id || strcmp((*at)->dir, dir) != 0))
		at = &(*at)->next;
	return at;
}

static uint32_t to_ours(struct gx_rserver *s, const char *dir, uint32_t theirs)
{
	for (struct gx_rsub *b = s->subs; b != NULL; b = b->next)
		if (b->theirs == theirs && strcmp(b->dir, dir) == 0)
			return b->ours;
	return 0;
}

/* After a loss of the connection: what the server may still have is ended there, and made anew. */
static void subscribe_again(struct gx_rserver *s)
{
	pthread_mutex_lock(&s->sublock);
	for (struct gx_rsub *b = s->subs; b != NULL; b = b->next) {
		struct gx_arena *a = gx_arena_new(0);
		struct gx_x_subscribe_notification_ans ans = {0};
		struct gx_x_unsubscribe_notification_req old = {b->theirs};
		const char *why = "";
		int64_t until = gx_rconn__now() + s->r->o.connect_ms;
		if (a == NULL)
			continue;
		if (old.sub_id != 0)
			(void)gx_remote__call(s, b->dir, gx_exmdb_call_desc(GX_X_UNSUBSCRIBE_NOTIFICATION), &old, a, until, NULL, &why);
		gx_ec ec = gx_remote__call(s, b->dir, gx_exmdb_call_desc(GX_X_SUBSCRIBE_NOTIFICATION), &b->req, a, until, &ans, &why);
		b->theirs = gx_ec_failed(ec) ? 0 : ans.sub_id;
		if (gx_ec_failed(ec))
			gx_log(s->r->o.log, GX_LOG_WARN, "exmdb: %s: subscription to %s cannot be made again: %s", s->addr, b->dir, why);
		gx_arena_free(a);
	}
	pthread_mutex_unlock(&s->sublock);
}

/* ---- Events come in ---- */

/* Tables keep their numbers; of subscriptions those that are known here. */
static struct gx_revent *make_event(struct gx_rserver *s, struct gx_bin body, const struct gx_x_notification *n)
{
	struct gx_revent *e = malloc(sizeof(*e) + body.len);
	if (e == NULL)
		return NULL;
	*e = (struct gx_revent){.len = body.len, .ids = malloc((n->ids_count + 1) * sizeof(uint32_t))};
	memcpy(e->raw, body.data, body.len);
	pthread_mutex_lock(&s->sublock);
	for (uint32_t i = 0; e->ids != NULL && i < n->ids_count; ++i) {
		uint32_t id = n->is_table ? n->ids[i] : to_ours(s, n->dir, n->ids[i]);
		if (id != 0)
			e->ids[e->count++] = id;
	}
	pthread_mutex_unlock(&s->sublock);
	return e;
}

static int take_event(struct gx_rserver *s, struct gx_bin body)
{
	struct gx_x_notification n;
	struct gx_arena *a = gx_arena_new(0);
	int err = a == NULL ? GX_E_NOMEM : gx_xframe_pull_event(body, a, &n);
	if (err == 0) {
		struct gx_revent *e = make_event(s, body, &n);
		if (e != NULL && e->ids != NULL && e->count > 0)
			gx_revent__put(s->r, e);
		else
			gx_revent__free(e);
	}
	gx_arena_free(a);
	return err;
}

/* Readable, or told to stop, or too silent. */
static int wait_frame(struct gx_rserver *s, struct gx_rconn *c)
{
	struct pollfd p[] = {{.fd = c->fd, .events = POLLIN}, {.fd = s->stop_fd, .events = POLLIN}};
	if (c->tp != NULL && c->tp->pending(c->session) > 0)
		return 0;
	int n;
	do
		n = poll(p, 2, SILENCE_MS);
	while (n < 0 && errno == EINTR);
	if (n == 0)
		return GX_E_TIMEOUT;
	return n < 0 ? GX_E_IO : p[1].revents != 0 ? GX_E_STATE : 0;
}

/* Each frame is acknowledged before it is looked at: the server may go on. */
static int read_frames(struct gx_rserver *s, struct gx_rconn *c)
{
	for (;;) {
		struct gx_bin body;
		size_t used;
		int64_t until = gx_rconn__now() + s->r->o.connect_ms;
		int whole = gx_xframe_split(c->buf, c->len, GX_XFRAME_EVENT_MAX, &body, &used);
		if (whole < 0)
			return whole;
		if (whole == 0) {
			int err = wait_frame(s, c);
			if (err == 0)
				err = gx_rconn__recv(c, until);
			if (err != 0)
				return err;
			continue;
		}
		int err = gx_rconn__send(c, "\0", 1, until);
		if (err == 0 && body.len > 0)
			err = take_event(s, body);
		if (err != 0)
			return err;
		gx_rconn__consume(c, used);
	}
}

/* ---- The thread ---- */

static int say_listen(struct gx_rserver *s, struct gx_rconn *c, int64_t until, char *why)
{
	struct gx_arena *a = gx_arena_new(0);
	struct gx_x_listen_notification_req q = {s->r->remote_id};
	struct gx_push f = GX_PUSH_INIT;
	struct gx_bin body;
	uint8_t code;
	int err = a == NULL ? GX_E_NOMEM : gx_xframe_push_request(&f, a, s->dir, GX_X_LISTEN_NOTIFICATION, &q);
	if (err == 0)
		err = gx_rconn__exchange(c, &f, 64, until, &code, &body);
	if (err != 0) {
		snprintf(why, GX_WHY_SIZE, "handshake: %s", gx_rconn__why(c, err));
	} else if (code != GX_XC_SUCCESS) {
		snprintf(why, GX_WHY_SIZE, "%s", gx_xcode_text(code));
		err = GX_E_STATE;
	}
	c->len = 0;
	gx_push_release(&f);
	gx_arena_free(a);
	return err;
}

static void set_up(struct gx_rserver *s, bool up, const char *why)
{
	pthread_mutex_lock(&s->lock);
	s->up = up;
	s->ups += up;
	s->tries += !up;
	snprintf(s->why, sizeof(s->why), "%s", why);
	pthread_cond_broadcast(&s->cond);
	pthread_mutex_unlock(&s->lock);
}

static int dial(struct gx_rserver *s, struct gx_rconn **ret_c, char *why)
{
	int64_t until = gx_rconn__now() + s->r->o.connect_ms;
	int err = gx_rconn__dial(s->addr, s->tp, until, ret_c, why);
	if (err == 0 && (err = say_listen(s, *ret_c, until, why)) != 0)
		gx_rconn__free(*ret_c);
	return err;
}

static bool ask_again(struct gx_rserver *s)
{
	struct gx_arena *a = gx_arena_new(0);
	bool here = a != NULL && gx_rserver__still(s, s->dir, a);
	gx_arena_free(a);
	return here;
}

/* One connection from its beginning to its end. @return whether it stood. */
static bool listen_once(struct gx_rserver *s)
{
	char why[GX_WHY_SIZE] = "";
	struct gx_rconn *c = NULL;
	int err = dial(s, &c, why);
	if (err == GX_E_IO && ask_again(s))
		err = dial(s, &c, why);
	gx_rserver__tell(s, err != 0 ? why : "");
	if (err != 0) {
		set_up(s, false, why);
		return false;
	}
	bool again = s->ups > 0;
	set_up(s, true, "");
	if (again) {
		subscribe_again(s);
		gx_revent__put(s->r, gx_revent__lost());
	}
	err = read_frames(s, c);
	gx_rconn__free(c);
	set_up(s, false, gx_strerror(err));
	if (err != GX_E_STATE)
		gx_log(s->r->o.log, GX_LOG_WARN, "exmdb: %s: event connection lost (%s), connecting again", s->addr,
			err == GX_E_TRUNC ? "the server has hung up" : gx_strerror(err));
	return true;
}

/* @return true: told to stop. */
static bool pause_for(struct gx_rserver *s, int ms)
{
	struct pollfd p = {.fd = s->stop_fd, .events = POLLIN};
	int n;
	do
		n = poll(&p, 1, ms);
	while (n < 0 && errno == EINTR);
	return n != 0;
}

static void *listen_main(void *ctx)
{
	struct gx_rserver *s = ctx;
	int pause_ms = FIRST_PAUSE_MS;
	while (!pause_for(s, 0)) {
		if (listen_once(s)) {
			pause_ms = FIRST_PAUSE_MS;
			if (pause_for(s, 0))
				break;
			/* at once the first time: most losses are restarts of a server that is back already */
			if (listen_once(s))
				continue;
		}
		if (pause_for(s, pause_ms))
			break;
		pause_ms = pause_ms * 2 > MOST_PAUSE_MS ? MOST_PAUSE_MS : pause_ms * 2;
	}
	return NULL;
}

/* With the lock held. Threads of a library take no signals. */
static int start_thread(struct gx_rserver *s, const char *dir)
{
	sigset_t all, old;
	if (s->stop_fd < 0) /* else left by an attempt that failed */
		s->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (s->dir == NULL)
		s->dir = strdup(dir);
	if (s->stop_fd < 0 || s->dir == NULL)
		return GX_E_NOMEM;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	int err = pthread_create(&s->thread, NULL, listen_main, s);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	s->listening = err == 0;
	return err == 0 ? 0 : GX_E_NOMEM;
}

void gx_rlisten__stop(struct gx_rserver *s)
{
	if (s->listening) {
		uint64_t one = 1;
		(void)!write(s->stop_fd, &one, sizeof(one));
		pthread_join(s->thread, NULL);
	}
	if (s->stop_fd >= 0)
		close(s->stop_fd);
	while (s->subs != NULL) {
		struct gx_rsub *b = s->subs;
		s->subs = b->next;
		free(b);
	}
}

/* The event connection stands, or one attempt has failed: what is subscribed to must have a way back. */
gx_ec gx_rlisten__up(struct gx_rserver *s, const char *dir, struct gx_arena *a, const char **ret_why)
{
	char why[GX_WHY_SIZE] = "";
	int64_t until = gx_rconn__now() + s->r->o.connect_ms;
	struct timespec ts = {.tv_sec = until / 1000, .tv_nsec = until % 1000 * 1000000};
	pthread_mutex_lock(&s->lock);
	int err = s->listening ? 0 : start_thread(s, dir);
	uint64_t tries = s->tries;
	while (err == 0 && !s->up && s->tries == tries)
		err = pthread_cond_timedwait(&s->cond, &s->lock, &ts) == ETIMEDOUT ? GX_E_TIMEOUT : 0;
	bool up = s->up;
	snprintf(why, sizeof(why), "%s", s->why);
	pthread_mutex_unlock(&s->lock);
	if (up)
		return GX_EC(ecSuccess);
	return gx_remote__fail(a, err, ret_why, "%s: no connection for events: %s", s->addr, err != 0 ? gx_strerror(err) : why);
}

/* ---- Calls ---- */

gx_ec gx_rlisten__subscribe(struct gx_rserver *s, const char *dir, const struct gx_x_subscribe_notification_req *req, struct gx_arena *a,
	struct gx_x_subscribe_notification_ans *ans, const char **ret_why)
{
	size_t n = strlen(dir) + 1;
	gx_ec ec = gx_rlisten__up(s, dir, a, ret_why);
	if (gx_ec_failed(ec))
		return ec;
	struct gx_rsub *b = malloc(sizeof(*b) + n);
	if (b == NULL)
		return gx_remote__fail(a, GX_E_NOMEM, ret_why, "out of memory");
	pthread_mutex_lock(&s->sublock);
	ec = gx_remote__call(s, dir, gx_exmdb_call_desc(GX_X_SUBSCRIBE_NOTIFICATION), req, a, gx_remote__deadline(s->r), ans, ret_why);
	if (gx_ec_failed(ec)) {
		free(b);
	} else {
		*b = (struct gx_rsub){.next = s->subs, .req = *req, .theirs = ans->sub_id, .ours = atomic_fetch_add(&s->r->last_sub, 1) + 1};
		memcpy(b->dir, dir, n);
		s->subs = b;
		ans->sub_id = b->ours;
	}
	pthread_mutex_unlock(&s->sublock);
	return ec;
}

gx_ec gx_rlisten__unsubscribe(struct gx_rserver *s, const char *dir, const struct gx_x_unsubscribe_notification_req *req,
	struct gx_arena *a, const char **ret_why)
{
	gx_ec ec = GX_EC(ecNullObject);
	pthread_mutex_lock(&s->sublock);
	struct gx_rsub **at = find_ours(s, dir, req->sub_id), *b = *at;
	if (b != NULL) {
		struct gx_x_unsubscribe_notification_req q = {b->theirs};
		ec = b->theirs == 0 ? GX_EC(ecSuccess) : gx_remote__call(s, dir, gx_exmdb_call_desc(GX_X_UNSUBSCRIBE_NOTIFICATION), &q, a,
			gx_remote__deadline(s->r), NULL, ret_why);
		*at = b->next;
		free(b);
	} else {
		*ret_why = "there is no such subscription";
	}
	pthread_mutex_unlock(&s->sublock);
	return ec;
}

void gx_rlisten__forget(struct gx_rserver *s, const char *dir)
{
	pthread_mutex_lock(&s->sublock);
	for (struct gx_rsub **at = &s->subs; *at != NULL;) {
		struct gx_rsub *b = *at;
		if (strcmp(b->dir, dir) != 0) {
			at = &b->next;
			continue;
		}
		*at = b->next;
		free(b);
	}
	pthread_mutex_unlock(&s->sublock);
}
