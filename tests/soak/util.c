/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include "tests/soak/soak.h"

const struct gx_actor soak_system = GX_ACTOR_SYSTEM;

uint32_t soak_rnd(struct soak_thread *w, uint32_t n)
{
	w->seed = w->seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)(w->seed >> 33) % n;
}

const struct gx_actor *soak_actor(struct soak_thread *w)
{
	static const char *const lists[] = {"staff@example.org", NULL};
	static const struct gx_actor owner = {.user = "owner@example.org", .owner = true},
				     alice = {.user = "alice@example.org", .groups = lists},
				     bob = {.user = "bob@example.org"};
	switch (soak_rnd(w, 8)) {
	case 0:
		return &alice;
	case 1:
		return &bob;
	case 2:
	case 3:
		return &owner;
	default:
		return &soak_system;
	}
}

struct gx_txn *soak_begin(
	struct soak_thread *w, struct gx_store *s, const struct gx_actor *who, int mode)
{
	struct gx_txn *t = NULL;
	int err = gx_txn_begin(s, who, mode, WAIT_MS, &t);
	if (err != 0)
		soak_fail(w->k, "%s: no transaction: %s", gx_store_dir(s), gx_strerror(err));
	return err != 0 ? NULL : t;
}

void soak_commit(struct soak_thread *w, struct gx_txn *t)
{
	if (soak_rnd(w, 16) == 0) {
		gx_txn_abort(t);
		return;
	}
	int err = gx_txn_commit(t, soak_rnd(w, 32) == 0 ? GX_SYNC_NOW : GX_SYNC_LATER);
	if (err != 0)
		soak_fail(w->k, "commit: %s", gx_strerror(err));
}

/* Answers that others can be the reason of. */
static bool expected(gx_ec ec)
{
	static const uint32_t fine[] = {ecNotFound, ecAccessDenied, ecDuplicateName,
		ecObjectDeleted, ecObjectModified, ecQuotaExceeded, ecFolderCycle, ecNotSupported,
		ecNotSearchFolder, ecSearchFolder, ecNotInitialized, ecTooComplex, ecNotCollapsed,
		ecNotExpanded, ecInvalidBookmark};
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		if (gx_ec_is(ec, fine[i]))
			return true;
	return false;
}

bool soak_done(struct soak_thread *w, struct gx_txn *t, gx_ec ec, const char *what)
{
	if (!gx_ec_failed(ec))
		return true;
	if (!expected(ec))
		soak_fail(w->k, "%s gave %s: %s", what, gx_ec_name(ec),
			t == NULL ? "" : gx_txn_why(t));
	return false;
}

uint64_t soak_folder(struct soak_thread *w, struct gx_txn *t)
{
	struct gx_folder_info *v;
	size_t n;
	if (soak_rnd(w, 4) == 0)
		return w->st->inbox;
	if (!soak_done(w, t, gx_folder_list(t, w->st->root, true, w->a, &v, &n), "list of folders"))
		return 0;
	for (unsigned tries = 0; n > 0 && tries < 8; tries++) {
		size_t i = soak_rnd(w, (uint32_t)n);
		if (v[i].type == GX_FOLDER_GENERIC)
			return v[i].fid;
	}
	return w->st->inbox;
}

void soak_pick(struct soak_thread *w, struct soak_pick *p, size_t most)
{
	struct gx_imapview *view;
	p->n = 0;
	struct gx_txn *t = soak_begin(w, w->s, &soak_system, GX_TXN_READ);
	if (t == NULL)
		return;
	p->fid = soak_folder(w, t);
	gx_txn_abort(t);
	if (p->fid == 0 ||
		!soak_done(w, NULL, gx_imapview_open(w->s, &soak_system, p->fid, &view), "view"))
		return;
	uint32_t n = gx_imapview_count(view), at = n == 0 ? 1 : 1 + soak_rnd(w, n);
	most = 1 + soak_rnd(w, (uint32_t)(most > PICK_MAX ? PICK_MAX : most));
	for (; at <= n && p->n < most; at++)
		p->mid[p->n++] = gx_imapview_at(view, at).mid;
	gx_imapview_close(view);
}
