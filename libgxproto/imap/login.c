/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

enum { FAIL_DELAY_MS = 2000, MAX_TRIES = 10, USER_ARENA_MOST = 1024 * 1024 };

struct failure {
	const char *text;
};

void gx_imap__user_free(struct imap_session *s)
{
	struct imap_user *u = s->user;
	if (u == NULL)
		return;
	if (u->store != NULL)
		gx_store_pool_put(s->srv->pool, u->store);
	gx_arena_free(u->arena);
	s->user = NULL;
}

static enum imap_result reject(struct imap_session *s, const char *login, const char *reason, const char *answer)
{
	gx_log_auth_failure(s->io->log, "imap", login, s->io->peer == NULL ? "" : s->io->peer, reason);
	struct failure *f = gx_arena_new_obj(s->arena, struct failure);
	if (f == NULL)
		return IMAP_CLOSE;
	f->text = answer;
	s->release = NULL;
	s->args = f;
	++s->auth_tries;
	s->delay_ms = FAIL_DELAY_MS;
	return IMAP_DELAY;
}

enum imap_result gx_imap__login_failed(struct imap_session *s)
{
	const struct failure *f = s->args;
	unsigned most = s->srv->max_auth_tries == 0 ? MAX_TRIES : s->srv->max_auth_tries;
	gx_imap__no(s, "%s", f->text);
	if (s->auth_tries < most)
		return IMAP_DONE;
	imap_puts(s->out, "* BYE Too many failed logins\r\n");
	return IMAP_CLOSE;
}

/* False: *ret_r is the end of the command. */
static bool password_ok(struct imap_session *s, const char *login, const char *password, struct gx_user *ret_u,
	enum imap_result *ret_r)
{
	const char *ip = s->io->peer == NULL ? "" : s->io->peer;
	if (gx_authlimit_check(s->srv->authlimit, login, ip) != 0) {
		*ret_r = reject(s, login, "too many tries", "[LIMIT] Too many failed logins, try again later");
		return false;
	}
	int err = gx_dir_login(s->srv->dir, login, password, GX_PRIV_IMAP_POP3, s->arena, ret_u);
	switch (err) {
	case 0:
		gx_authlimit_succeeded(s->srv->authlimit, login, ip);
		return true;
	case GX_E_NOTFOUND:
	case GX_E_INVAL:
		gx_authlimit_failed(s->srv->authlimit, login, ip);
		*ret_r = reject(s, login, err == GX_E_INVAL ? "wrong password" : "unknown user",
			"[AUTHENTICATIONFAILED] Wrong user name or password");
		return false;
	case GX_E_STATE:
		*ret_r = reject(s, login, "not permitted", "[AUTHORIZATIONFAILED] This account may not use IMAP");
		return false;
	default:
		*ret_r = gx_imap__no_err(s, err, "Login is not possible now");
		return false;
	}
}

/* "user!mailbox": the user must own the store, imap(8gx). */
static bool owns(struct imap_user *u)
{
	struct gx_txn *t;
	uint32_t rights = 0;
	struct gx_actor guest = u->actor;
	guest.owner = false;
	if (gx_txn_begin(u->store, &guest, GX_TXN_READ, IMAP_TXN_MS, &t) != 0)
		return false;
	bool ok = !gx_ec_failed(gx_folder_rights(t, GX_FID_IPMSUBTREE, &rights)) && (rights & GX_RIGHT_OWNER);
	gx_txn_abort(t);
	return ok;
}

static struct imap_user *new_user(struct imap_session *s, const struct gx_user *who, const struct gx_user *box)
{
	struct gx_arena *a = gx_arena_new(USER_ARENA_MOST);
	struct imap_user *u = a == NULL ? NULL : gx_arena_new_obj(a, struct imap_user);
	if (u == NULL) {
		gx_arena_free(a);
		return NULL;
	}
	u->arena = a;
	u->actor.user = gx_arena_strdup(a, who->username);
	u->name = gx_arena_strdup(a, box->username);
	if (who != box && gx_dir_groups_of(s->srv->dir, who->username, a, &u->actor.groups) != 0)
		u->actor.groups = NULL;
	u->actor.owner = true;
	return u;
}

static enum imap_result open_mailbox(struct imap_session *s, const char *login, const struct gx_user *who,
	const struct gx_user *box)
{
	const char *why = NULL;
	struct imap_user *u = new_user(s, who, box);
	if (u == NULL)
		return gx_imap__no_err(s, GX_E_NOMEM, "Login is not possible now");
	s->user = u;
	int err = gx_store_pool_get(s->srv->pool, box->maildir, &u->store, s->arena, &why);
	if (err != 0) {
		gx_log(s->io->log, GX_LOG_ERROR, "[%llu] imap user=%s: %s: %s", (unsigned long long)s->io->id, box->username,
			box->maildir, why == NULL ? gx_strerror(err) : why);
		u->store = NULL;
		gx_imap__user_free(s);
		return gx_imap__no(s, "[UNAVAILABLE] The mailbox cannot be opened now");
	}
	if (who != box && !owns(u)) {
		gx_imap__user_free(s);
		return reject(s, login, "not the owner", "[AUTHORIZATIONFAILED] You do not own this mailbox");
	}
	s->state = IMAP_AUTH;
	gx_log(s->io->log, GX_LOG_INFO, "[%llu] login: service=imap user=<%s> mailbox=<%s> rip=%s", (unsigned long long)s->io->id,
		u->actor.user, u->name, s->io->peer == NULL ? "?" : s->io->peer);
	s->auth_tries = s->bad = 0;
	gx_push_str(s->out, s->tag);
	imap_puts(s->out, " OK [");
	gx_imap__put_capabilities(s);
	imap_puts(s->out, "] Logged in\r\n");
	return IMAP_DONE;
}

enum imap_result gx_imap__login(struct imap_session *s, const char *login, const char *password)
{
	struct gx_user who, box;
	const char *bang = strrchr(login, '!');
	const char *name = bang == NULL ? login : gx_arena_strndup(s->arena, login, (size_t)(bang - login));
	if (name == NULL)
		return gx_imap__no_err(s, GX_E_NOMEM, "Login is not possible now");
	enum imap_result r;
	if (!password_ok(s, name, password, &who, &r))
		return r;
	bool other = bang != NULL && gx_ascii_casecmp(bang + 1, who.username) != 0;
	if (other && gx_dir_user(s->srv->dir, bang + 1, s->arena, &box) != 0)
		return reject(s, login, "unknown mailbox", "[AUTHORIZATIONFAILED] You do not own this mailbox");
	const struct gx_user *b = other ? &box : &who;
	if (b->maildir == NULL || *b->maildir == '\0')
		return reject(s, login, "no mailbox", "[AUTHORIZATIONFAILED] This account has no mailbox");
	return open_mailbox(s, login, &who, b);
}
