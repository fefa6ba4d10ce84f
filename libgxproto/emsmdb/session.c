/* SPDX-License-Identifier: Apache-2.0 */
/* Session contexts: who has one, and for how long. */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <gx/charset.h>
#include "libgxproto/emsmdb/outbox.h"

enum { IDLE_MS = 2000 * 1000, USER_ARENA_MOST = 1 << 20, CP_UTF16 = 1200 };

static int64_t now_ms(const struct gx_ems *e)
{
	return gx_clock_mono_ms(e->o.clock);
}

int gx_ems_new(const struct gx_ems_opts *o, struct gx_ems **ret_e)
{
	if (o == NULL || o->size != sizeof(*o) || o->pool == NULL || o->dir == NULL || ret_e == NULL)
		return GX_E_INVAL;
	struct gx_ems *e = calloc(1, sizeof(*e));
	if (e == NULL)
		return GX_E_NOMEM;
	e->o = *o;
	if (e->o.clock == NULL)
		e->o.clock = gx_clock_system();
	if (e->o.idle_ms == 0)
		e->o.idle_ms = IDLE_MS;
	e->org = strdup(o->org_name != NULL && *o->org_name != '\0' ? o->org_name : "Gromox default");
	if (e->org == NULL || pthread_mutex_init(&e->lock, NULL) != 0) {
		free(e->org);
		free(e);
		return GX_E_NOMEM;
	}
	int err = gx_outbox__open(e);
	if (err == 0) {
		*ret_e = e;
		return 0;
	}
	pthread_mutex_destroy(&e->lock);
	free(e->org);
	free(e);
	return err;
}

static void session_free(struct gx_ems_session *s)
{
	gx_ems__drop_all(s);
	gx_notes__release(&s->notes);
	free(s->slots);
	free(s->pack);
	free(s->user);
	gx_arena_free(s->a);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* With the lock of e. @return whether the caller has to free it. */
static bool unlist(struct gx_ems_session *s)
{
	struct gx_ems_session **at = &s->e->sessions;
	while (*at != s)
		at = &(*at)->next;
	*at = s->next;
	s->ended = true;
	return s->refs == 0;
}

void gx_ems_free(struct gx_ems *e)
{
	if (e == NULL)
		return;
	while (e->sessions != NULL) {
		struct gx_ems_session *s = e->sessions;
		(void)unlist(s);
		session_free(s);
	}
	gx_outbox__close(e);
	pthread_mutex_destroy(&e->lock);
	free(e->org);
	free(e);
}

/* With the lock: the first that is idle for too long, taken out. */
static struct gx_ems_session *take_idle(struct gx_ems *e, int64_t before)
{
	for (struct gx_ems_session *s = e->sessions; s != NULL; s = s->next)
		if (s->refs == 0 && s->used_ms < before)
			return unlist(s) ? s : NULL;
	return NULL;
}

unsigned gx_ems_tick(struct gx_ems *e)
{
	int64_t before = now_ms(e) - e->o.idle_ms;
	for (;;) {
		pthread_mutex_lock(&e->lock);
		struct gx_ems_session *s = take_idle(e, before);
		pthread_mutex_unlock(&e->lock);
		if (s == NULL)
			break;
		gx_log(e->o.log, GX_LOG_INFO, "emsmdb: session of %s was idle for too long", s->user);
		session_free(s);
	}
	unsigned n = 0;
	pthread_mutex_lock(&e->lock);
	for (struct gx_ems_session *s = e->sessions; s != NULL; s = s->next)
		++n;
	pthread_mutex_unlock(&e->lock);
	return n;
}

void gx_ems_dump(struct gx_ems *e, void (*line)(const char *text, void *ctx), void *ctx)
{
	static const char *const modes[] = {"?", "online", "cached"};
	char text[512], id[37];
	int64_t now = now_ms(e);
	pthread_mutex_lock(&e->lock);
	for (struct gx_ems_session *s = e->sessions; s != NULL; s = s->next) {
		gx_guid_print(&s->id, id);
		snprintf(text, sizeof(text), "session %s user=%s cp=%u client=%u.%u.%u machine=%s process=%s mode=%s failures=%u idle=%llds used_by=%u",
			id, s->user, (unsigned)s->code_page, s->client_version[0], s->client_version[1], s->client_version[2], s->client.machine,
			s->client.process, modes[s->client.mode < 3 ? s->client.mode : 0], s->client.failures,
			(long long)(now - s->used_ms) / 1000, s->refs);
		line(text, ctx);
	}
	pthread_mutex_unlock(&e->lock);
}

/* ---- Beginning ---- */

/* With the lock: users who have a session. */
static unsigned count_users(const struct gx_ems *e)
{
	unsigned n = 0;
	for (const struct gx_ems_session *s = e->sessions; s != NULL; s = s->next) {
		const struct gx_ems_session *t = s->next;
		while (t != NULL && strcasecmp(t->user, s->user) != 0)
			t = t->next;
		n += t == NULL;
	}
	return n;
}

/* With the lock. */
static bool has_room(const struct gx_ems *e, const char *user)
{
	unsigned all = 0, own = 0;
	for (const struct gx_ems_session *s = e->sessions; s != NULL; s = s->next) {
		++all;
		own += strcasecmp(s->user, user) == 0;
	}
	return (e->o.max_sessions == 0 || all < e->o.max_sessions) && (e->o.max_user_sessions == 0 || own < e->o.max_user_sessions) &&
	       (e->o.max_users == 0 || own > 0 || count_users(e) < e->o.max_users);
}

static int fill(struct gx_ems_session *s, struct gx_ems *e, const struct gx_ems_connect *c)
{
	s->e = e;
	s->refs = 1;
	s->code_page = c->code_page;
	memcpy(s->client_version, c->client_version, sizeof(s->client_version));
	s->user = strdup(c->user);
	s->a = gx_arena_new(USER_ARENA_MOST);
	if (s->user == NULL || s->a == NULL)
		return GX_E_NOMEM;
	int err = gx_guid_random(&s->id);
	if (err == 0)
		err = gx_guid_random(&s->turn);
	return err == 0 ? gx_dir_user(e->o.dir, c->user, s->a, &s->who) : err;
}

/* Does the user own that mailbox by permission? */
static gx_ec check_admin(struct gx_ems *e, const char *user, const struct gx_user *of, struct gx_arena *a)
{
	struct gx_actor actor = {.user = user};
	struct gx_store *store;
	struct gx_txn *t;
	uint32_t rights = 0;
	const char *why;
	if (*of->maildir == '\0')
		return GX_EC(ecUnknownUser);
	int err = gx_dir_groups_of(e->o.dir, user, a, &actor.groups);
	if (err == 0)
		err = gx_store_pool_get(e->o.pool, of->maildir, &store, a, &why);
	if (err != 0)
		return gx_ec_from_err(err);
	err = gx_txn_begin(store, &actor, GX_TXN_READ, EMS_TXN_MS, &t);
	gx_ec ec = gx_ec_from_err(err);
	if (err == 0) {
		ec = gx_folder_rights(t, GX_FID_IPMSUBTREE, &rights);
		gx_txn_abort(t);
	}
	gx_store_pool_put(e->o.pool, store);
	return gx_ec_failed(ec) ? ec : rights & GX_RIGHT_OWNER ? EMS_OK : GX_EC(ecLoginPerm);
}

static gx_ec check(struct gx_ems *e, const struct gx_ems_connect *c, struct gx_arena *a, const char **ret_name)
{
	struct gx_dn_owner own;
	if (c->code_page == CP_UTF16 || gx_cp_to_charset(c->code_page) == NULL)
		return GX_EC(ecUnknownCodePage);
	int err = gx_dir_dn(e->o.dir, c->user_dn, a, &own);
	if (err == GX_E_NOTFOUND)
		return GX_EC(ecUnknownUser);
	if (err != 0)
		return gx_ec_from_err(err);
	*ret_name = own.user.display_name;
	if (!own.is_public && strcasecmp(own.user.username, c->user) == 0)
		return EMS_OK;
	return own.is_public || !c->admin ? GX_EC(ecAccessDenied) : check_admin(e, c->user, &own.user, a);
}

static gx_ec enlist(struct gx_ems *e, struct gx_ems_session *s)
{
	gx_ec ec = GX_EC(ecOutOfResources);
	pthread_mutex_lock(&e->lock);
	if (has_room(e, s->user)) {
		s->used_ms = now_ms(e);
		s->next = e->sessions;
		e->sessions = s;
		ec = EMS_OK;
	}
	pthread_mutex_unlock(&e->lock);
	return ec;
}

gx_ec gx_ems_session_new(struct gx_ems *e, const struct gx_ems_connect *c, struct gx_arena *a, struct gx_ems_session **ret_s,
	struct gx_ems_connected *ret_c)
{
	if (e == NULL || c == NULL || c->size != sizeof(*c) || c->user == NULL || c->user_dn == NULL || a == NULL || ret_s == NULL || ret_c == NULL)
		return GX_EC(ecInvalidParam);
	const char *name = "";
	gx_ec ec = check(e, c, a, &name);
	struct gx_ems_session *s = gx_ec_failed(ec) ? NULL : calloc(1, sizeof(*s));
	if (s == NULL)
		return gx_ec_failed(ec) ? ec : GX_EC(ecMAPIOOM);
	int err = gx_notes__init(&s->notes, e->o.max_notes);
	if (err == 0 && pthread_mutex_init(&s->lock, NULL) != 0) {
		gx_notes__release(&s->notes);
		err = GX_E_NOMEM;
	}
	if (err != 0) {
		free(s);
		return gx_ec_from_err(err);
	}
	ec = gx_ec_from_err(fill(s, e, c));
	if (!gx_ec_failed(ec)) {
		*ret_c = (struct gx_ems_connected){"", gx_arena_strdup(a, name), s->id};
		ec = ret_c->display_name == NULL ? GX_EC(ecMAPIOOM) : enlist(e, s);
	}
	if (gx_ec_failed(ec))
		session_free(s);
	else
		*ret_s = s;
	return ec;
}

struct gx_ems_session *gx_ems_session_get(struct gx_ems *e, const struct gx_guid *id, const char *user, bool *ret_others)
{
	pthread_mutex_lock(&e->lock);
	struct gx_ems_session *s = e->sessions;
	while (s != NULL && gx_guid_cmp(&s->id, id) != 0)
		s = s->next;
	bool others = s != NULL && strcasecmp(s->user, user) != 0;
	if (others)
		s = NULL;
	if (s != NULL) {
		++s->refs;
		s->used_ms = now_ms(e);
	}
	pthread_mutex_unlock(&e->lock);
	if (ret_others != NULL)
		*ret_others = others;
	return s;
}

const struct gx_guid *gx_ems_session_id(const struct gx_ems_session *s)
{
	return &s->id;
}

int gx_ems_session_turn(struct gx_ems_session *s, const struct gx_guid *turn, struct gx_guid *ret_turn)
{
	int err = 0;
	pthread_mutex_lock(&s->e->lock);
	if (turn != NULL)
		err = gx_guid_cmp(turn, &s->turn) != 0 ? GX_E_STATE : gx_guid_random(&s->turn);
	*ret_turn = s->turn;
	pthread_mutex_unlock(&s->e->lock);
	return err;
}

void gx_ems_session_put(struct gx_ems_session *s)
{
	if (s == NULL)
		return;
	struct gx_ems *e = s->e;
	pthread_mutex_lock(&e->lock);
	s->used_ms = now_ms(e);
	bool last = --s->refs == 0 && s->ended;
	pthread_mutex_unlock(&e->lock);
	if (last)
		session_free(s);
}

void gx_ems_session_end(struct gx_ems_session *s)
{
	pthread_mutex_lock(&s->e->lock);
	if (!s->ended)
		(void)unlist(s);
	pthread_mutex_unlock(&s->e->lock);
	gx_notes__close(&s->notes);
}

void gx_ems_session_wait(struct gx_ems_session *s, struct gx_ems_waiter *w)
{
	gx_notes__wait(&s->notes, w);
}

bool gx_ems_session_unwait(struct gx_ems_session *s, struct gx_ems_waiter *w)
{
	gx_notes__unwait(&s->notes, w);
	return gx_notes__pending(&s->notes);
}
