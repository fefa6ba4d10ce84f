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

static void session_free(struct gx_sess *base)
{
	struct gx_ems_session *s = (struct gx_ems_session *)base;
	gx_ems__drop_all(s);
	gx_notes__release(&s->notes);
	free(s->slots);
	free(s->pack);
	free(s->user);
	gx_arena_free(s->a);
	pthread_mutex_destroy(&s->lock);
	free(s);
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
	const struct gx_sess_kind kind = {"emsmdb", e->o.idle_ms, session_free};
	e->org = strdup(o->org_name != NULL && *o->org_name != '\0' ? o->org_name : "Gromox default");
	int err = e->org == NULL || pthread_mutex_init(&e->lock, NULL) != 0 ? GX_E_NOMEM : 0;
	if (err != 0) {
		free(e->org);
		free(e);
		return err;
	}
	err = gx_sessions__new(e->o.clock, e->o.log, &e->sessions);
	if (err == 0) {
		gx_sessions__declare(e->sessions, GX_SESS_MAILBOX, &kind);
		err = gx_outbox__open(e);
	}
	if (err == 0) {
		*ret_e = e;
		return 0;
	}
	gx_sessions__free(e->sessions);
	pthread_mutex_destroy(&e->lock);
	free(e->org);
	free(e);
	return err;
}

void gx_ems_free(struct gx_ems *e)
{
	if (e == NULL)
		return;
	gx_sessions__free(e->sessions);
	gx_outbox__close(e);
	pthread_mutex_destroy(&e->lock);
	free(e->org);
	free(e);
}

struct gx_sessions *gx_ems__sessions(struct gx_ems *e)
{
	return e->sessions;
}

unsigned gx_ems_tick(struct gx_ems *e)
{
	gx_sessions__tick(e->sessions);
	unsigned n = 0;
	for (unsigned kind = 0; kind < GX_SESS_KINDS; ++kind)
		n += gx_sessions__count(e->sessions, kind);
	return n;
}

struct dump {
	struct gx_ems *e;
	void (*line)(const char *text, void *ctx);
	void *ctx;
};

static void print_session(const struct gx_sess *base, int64_t idle_ms, void *ctx)
{
	static const char *const modes[] = {"?", "online", "cached"};
	const struct gx_ems_session *s = (const struct gx_ems_session *)base;
	const struct dump *d = ctx;
	char text[512], id[37];
	gx_guid_print(&base->id, id);
	pthread_mutex_lock(&d->e->lock);
	snprintf(text, sizeof(text), "session %s user=%s cp=%u client=%u.%u.%u machine=%s process=%s mode=%s failures=%u idle=%llds used_by=%u",
		id, s->user, (unsigned)s->code_page, s->client_version[0], s->client_version[1], s->client_version[2], s->client.machine,
		s->client.process, modes[s->client.mode < 3 ? s->client.mode : 0], s->client.failures, (long long)idle_ms / 1000, (unsigned)base->refs);
	pthread_mutex_unlock(&d->e->lock);
	d->line(text, d->ctx);
}

void gx_ems_dump(struct gx_ems *e, void (*line)(const char *text, void *ctx), void *ctx)
{
	struct dump d = {e, line, ctx};
	gx_sessions__each(e->sessions, GX_SESS_MAILBOX, print_session, &d);
}

/* ---- Beginning ---- */

static int fill(struct gx_ems_session *s, struct gx_ems *e, const struct gx_ems_connect *c)
{
	s->e = e;
	s->code_page = c->code_page;
	memcpy(s->client_version, c->client_version, sizeof(s->client_version));
	s->user = strdup(c->user);
	s->a = gx_arena_new(USER_ARENA_MOST);
	if (s->user == NULL || s->a == NULL)
		return GX_E_NOMEM;
	return gx_dir_user(e->o.dir, c->user, s->a, &s->who);
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
	const struct gx_sess_limits l = {e->o.max_sessions, e->o.max_users, e->o.max_user_sessions};
	int err = gx_sessions__add(e->sessions, &s->sess, GX_SESS_MAILBOX, s->user, &l);
	return err == GX_E_LIMIT ? GX_EC(ecOutOfResources) : gx_ec_from_err(err);
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
		const char *shown = gx_arena_strdup(a, name);
		s->sess.id = c->id;
		s->sess.turn = c->turn;
		ec = shown == NULL ? GX_EC(ecMAPIOOM) : enlist(e, s);
		*ret_c = (struct gx_ems_connected){"", shown, s->sess.id};
	}
	if (gx_ec_failed(ec))
		session_free(&s->sess);
	else
		*ret_s = s;
	return ec;
}

struct gx_ems_session *gx_ems_session_get(struct gx_ems *e, const struct gx_guid *id, const char *user, bool *ret_others)
{
	bool others;
	struct gx_sess *s = gx_sessions__get(e->sessions, GX_SESS_MAILBOX, id, user, &others);
	if (ret_others != NULL)
		*ret_others = others;
	return (struct gx_ems_session *)s;
}

const struct gx_guid *gx_ems_session_id(const struct gx_ems_session *s)
{
	return &s->sess.id;
}

int gx_ems_session_turn(struct gx_ems_session *s, const struct gx_guid *turn, struct gx_guid *ret_turn)
{
	return gx_sessions__turn(s->e->sessions, &s->sess, turn, ret_turn);
}

void gx_ems_session_put(struct gx_ems_session *s)
{
	if (s != NULL)
		gx_sessions__put(s->e->sessions, &s->sess);
}

void gx_ems_session_end(struct gx_ems_session *s)
{
	gx_sessions__end(s->e->sessions, &s->sess);
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
