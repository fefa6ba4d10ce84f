/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <stdlib.h>
#include <gx/owed.h>
#include "libgxstore/far-int.h"

/* Most stores owe nothing: notes are rows of the table of small values, under keys that sort by batch and number. */

#define PREFIX "owed/"
enum { HEX = 2 * GX_OWED_BATCH, NUMBER = 8, KEY = sizeof(PREFIX) + HEX + 1 + NUMBER };

static void key_of(const uint8_t *batch, uint32_t n, char ret_key[KEY])
{
	size_t at = sizeof(PREFIX) - 1;
	snprintf(ret_key, KEY, PREFIX);
	for (size_t i = 0; i < GX_OWED_BATCH; i++, at += 2)
		snprintf(ret_key + at, KEY - at, "%02x", batch[i]);
	snprintf(ret_key + at, KEY - at, "/%08x", n);
}

static gx_ec check(struct gx_txn *t)
{
	if (gx_far(t) != NULL)
		return gx_txn__fail(t, ecNotSupported, "what a store owes is known to the process that has it");
	return gx_txn__writable(t);
}

gx_ec gx_owed_put(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t n, struct gx_bin note)
{
	char key[KEY];
	gx_ec ec = check(t);
	if (gx_ec_failed(ec))
		return ec;
	if (note.len > GX_OWED_MAX)
		return gx_txn__fail(t, ecTooBig, "a note has at most %u bytes", GX_OWED_MAX);
	key_of(batch, n, key);
	return gx_txn__ec(t, gx_meta__set_blob(t->q, key, note.data, note.len));
}

gx_ec gx_owed_next(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t from, struct gx_arena *a, uint32_t *ret_n,
	struct gx_bin *ret_note)
{
	char key[KEY], last[KEY];
	if (gx_far(t) != NULL)
		return GX_EC(ecNotFound);
	key_of(batch, from, key);
	key_of(batch, UINT32_MAX, last);
	GX_STMT(st, t->q, "SELECT key,value FROM meta WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT 1");
	gx_sql__bind_text(st, 1, key);
	gx_sql__bind_text(st, 2, last);
	int r = gx_sql__step(st);
	if (r <= 0)
		return r == 0 ? GX_EC(ecNotFound) : gx_txn__ec(t, r);
	const char *found = gx_sql__text(st, 0);
	struct gx_bin b = gx_sql__blob(st, 1);
	uint8_t *copy = gx_arena_memdup(a, b.data, b.len);
	if (copy == NULL)
		return gx_txn__ec(t, GX_E_NOMEM);
	*ret_n = (uint32_t)strtoul(found + KEY - 1 - NUMBER, NULL, 16);
	*ret_note = (struct gx_bin){copy, b.len};
	return GX_OK_EC;
}

gx_ec gx_owed_drop(struct gx_txn *t, const uint8_t batch[GX_OWED_BATCH], uint32_t n)
{
	char key[KEY];
	gx_ec ec = check(t);
	if (gx_ec_failed(ec))
		return ec;
	key_of(batch, n, key);
	GX_STMT(st, t->q, "DELETE FROM meta WHERE key=?1");
	gx_sql__bind_text(st, 1, key);
	return gx_txn__ec(t, gx_sql__run(st));
}

/* ---- Messages that go unread ---- */

void gx_txn_on_unread(struct gx_txn *t, gx_unread_cb cb, void *ctx)
{
	if (t->mode != GX_TXN_WRITE || t->s->is_public || gx_far(t) != NULL)
		return;
	t->on_unread = cb;
	t->on_unread_ctx = ctx;
}

static bool owes(const struct gx_txn *t, uint32_t flags)
{
	const uint32_t mask = GX_MSGF_NRNPENDING | GX_MSGF_READ | GX_MSGF_FAI | GX_MSGF_SOFTDEL;
	return t->on_unread != NULL && (flags & mask) == GX_MSGF_NRNPENDING;
}

int gx_owed__going(struct gx_txn *t, uint64_t mid, uint32_t *io_flags)
{
	if (!owes(t, *io_flags))
		return 0;
	gx_ec ec = t->on_unread(t, mid, t->on_unread_ctx);
	*io_flags &= ~(uint32_t)GX_MSGF_NRNPENDING;
	return gx_ec_failed(ec) ? gx_ec_to_err(ec) : 0;
}

/* It comes back with its folder, and is not owed any more. */
static int settle(struct gx_txn *t, uint64_t mid, uint32_t flags)
{
	int err = gx_owed__going(t, mid, &flags);
	if (err != 0)
		return err;
	GX_STMT(st, t->q, "UPDATE msg SET flags=?2 WHERE mid=?1");
	gx_sql__bind_int(st, 1, (int64_t)mid);
	gx_sql__bind_int(st, 2, flags);
	return gx_sql__run(st);
}

int gx_owed__folder_going(struct gx_txn *t, uint64_t fid, size_t *io_left)
{
	uint64_t after = 0;
	while (t->on_unread != NULL && (io_left == NULL || *io_left > 0)) {
		uint64_t mid;
		uint32_t flags;
		{
			GX_STMT(st, t->q, "SELECT mid,uid,flags FROM msg WHERE fid=?1 AND uid>?2 AND flags&0x2000 AND NOT flags&0x101 ORDER BY uid LIMIT 1");
			gx_sql__bind_int(st, 1, (int64_t)fid);
			gx_sql__bind_int(st, 2, (int64_t)after);
			int r = gx_sql__step(st);
			if (r <= 0)
				return r;
			mid = gx_sql__u64(st, 0);
			after = gx_sql__u64(st, 1);
			flags = (uint32_t)gx_sql__int(st, 2);
		}
		int err = settle(t, mid, flags);
		if (err != 0)
			return err;
		if (io_left != NULL && *io_left != SIZE_MAX)
			--*io_left;
	}
	return 0;
}
