/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <gx/search.h>
#include <gx/storeset.h>
#include "libgxproto/emsmdb/people.h"
#include "libgxproto/emsmdb/submit.h"

enum { RCPTS_MOST = 10000, MF_RESEND = 0x80, MINUTES = 0, HOURS = 1, DAYS = 2, WEEKS = 3 };

struct submission {
	struct gx_rop_call *c;
	struct gx_ems_message *m;
	struct gx_proplist have, set;
	const char *from;
	uint8_t id[GX_OUTBOX_ID];
	int64_t now, due;
	bool again;                  /* it is marked as submitted, and nobody knows of it: a process ended in between */
};

/* ---- Before ---- */

static gx_ec check_room(struct submission *x, struct gx_txn *t)
{
	struct gx_quota q;
	gx_ec ec = gx_store_quota(t, &q);
	if (!gx_ec_failed(ec) && q.send != 0 && q.used >= q.send)
		ec = gx_rop__fail(x->c, ecQuotaExceeded, "the mailbox may send when it is smaller");
	return ec;
}

static gx_ec check_state(struct submission *x, struct gx_txn *t)
{
	struct gx_msg_info i;
	bool busy;
	if (x->m->mid == 0)
		return EMS_OK;
	gx_ec ec = gx_msg_get(t, x->m->mid, &i);
	if (gx_ec_failed(ec) || !(i.flags & GX_MSGF_SUBMIT))
		return ec;
	struct gx_ems_entry *e = gx_outbox__take(x->c->s->e, gx_store_mailbox_guid(x->c->logon->store), x->m->mid, &busy);
	if (e != NULL)
		gx_outbox__keep(x->c->s->e, e, e->again);
	x->again = e == NULL && !busy;
	return x->again ? EMS_OK : gx_rop__fail(x->c, ecAlreadySent, "it is on its way");
}

static gx_ec check_rcpts(struct submission *x)
{
	struct gx_proplist *v = NULL;
	const char *const *smtp;
	size_t n = 0, k;
	unsigned given = x->c->s->e->o.max_rcpts, most = given != 0 && given < RCPTS_MOST ? given : RCPTS_MOST;
	gx_ec ec = gx_inst_rcpts(x->m->inst, 0, most + (size_t)1, x->c->a, &v, &n);
	if (gx_ec_failed(ec))
		return ec;
	if (n > most)
		return gx_rop__fail(x->c, ecTooManyRecips, "at most %u recipients (max_rcpt_num)", most);
	return gx_ems__addressees(x->c->s->e, x->c->a, v, n, gx_proplist_i32(&x->have, PidTagMessageFlags, 0) & MF_RESEND, &smtp, &k);
}

static gx_ec look(struct submission *x, struct gx_txn *t)
{
	static const gx_proptag_t tags[] = {PidTagMessageFlags, PidTagSentRepresentingSmtpAddress, PidTagSentRepresentingAddressType,
		PidTagSentRepresentingEmailAddress, PidTagSentRepresentingEntryId, PidTagInternetMessageId, PidTagDeferredSendTime,
		PidTagDeferredSendNumber, PidTagDeferredSendUnits};
	gx_ec ec = gx_inst_get_props(t, x->m->inst, tags, sizeof(tags) / sizeof(tags[0]), 0, x->c->a, &x->have);
	if (!gx_ec_failed(ec))
		ec = check_state(x, t);
	if (!gx_ec_failed(ec))
		ec = check_rcpts(x);
	return gx_ec_failed(ec) ? ec : check_room(x, t);
}

static gx_ec check(struct submission *x)
{
	struct gx_inst_info i;
	struct gx_txn *t;
	struct gx_rop_call *c = x->c;
	gx_inst_info(x->m->inst, &i);
	if (c->logon->is_public || i.kind != GX_INST_MESSAGE || c->s->e->o.submit == NULL)
		return gx_rop__fail(c, ecNotSupported, "what is sent is a message of a mailbox, and there must be a way out");
	if (i.associated || !i.writable)
		return gx_rop__fail(c, ecAccessDenied, "it is open for reading, or associated");
	gx_ec ec = gx_rop__read(c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = look(x, t);
	gx_txn_abort(t);
	return ec;
}

/* ---- What the message says afterwards ---- */

/* [MS-OXOMSG] 2.2.3.6 to 2.2.3.8: a time, or so long from now */
static gx_nttime_t send_time(const struct submission *x)
{
	static const int64_t seconds[] = {[MINUTES] = 60, [HOURS] = 3600, [DAYS] = 86400, [WEEKS] = 7 * 86400};
	const struct gx_propval *at = gx_proplist_get(&x->have, PidTagDeferredSendTime);
	int32_t n = gx_proplist_i32(&x->have, PidTagDeferredSendNumber, -1), unit = gx_proplist_i32(&x->have, PidTagDeferredSendUnits, MINUTES);
	if (at != NULL)
		return at->v.time;
	if (n < 0 || n > 999 || unit < MINUTES || unit > WEEKS)
		return 0;
	return gx_nttime_from_unix(x->now + n * seconds[unit], 0);
}

static const char *message_id(struct submission *x)
{
	char hex[2 * GX_OUTBOX_ID + 1];
	const char *at = strchr(x->from, '@');
	for (size_t i = 0; i < GX_OUTBOX_ID; ++i)
		snprintf(hex + 2 * i, 3, "%02x", x->id[i]);
	return gx_arena_printf(x->c->a, "<%s%s>", hex, at == NULL ? "@localhost" : at);
}

static gx_ec stamp(struct submission *x)
{
	struct gx_arena *a = x->c->a;
	gx_nttime_t later = send_time(x);
	int err = gx_proplist_set_time(&x->set, a, PidTagClientSubmitTime, gx_nttime_from_unix(x->now, 0));
	err = err != 0 ? err : gx_proplist_set_i32(&x->set, a, PidTagContentFilterSpamConfidenceLevel, -1);
	if (err == 0 && gx_proplist_get(&x->have, PidTagInternetMessageId) == NULL) {
		const char *id = message_id(x);
		err = id == NULL ? GX_E_NOMEM : gx_proplist_set_str(&x->set, a, PidTagInternetMessageId, id);
	}
	if (err == 0 && later != 0)
		err = gx_proplist_set_time(&x->set, a, PidTagDeferredSendTime, later);
	x->due = later == 0 ? x->now : gx_nttime_to_unix(later, NULL);
	return err != 0 ? gx_ec_from_err(err) : gx_inst_set_props(x->m->inst, &x->set, GX_SET_TRUSTED, a, NULL);
}

static gx_ec save(struct submission *x)
{
	struct gx_txn *t;
	struct gx_save_result s = {0};
	gx_ec ec = gx_ec_from_err(gx_inst_prepare(x->m->inst));
	if (!gx_ec_failed(ec))
		ec = gx_rop__write(x->c, &t);
	if (!gx_ec_failed(ec))
		ec = gx_rop__end(x->c, t, gx_inst_save(t, x->m->inst, 0, &s));
	if (!gx_ec_failed(ec))
		x->m->mid = s.mid;
	return ec;
}

/* ---- On its way ---- */

static gx_ec mark(struct submission *x, bool for_spooler)
{
	struct gx_txn *t;
	bool marked = false;
	gx_ec ec = gx_rop__write(x->c, &t);
	if (gx_ec_failed(ec))
		return ec;
	ec = gx_msg_try_submit(t, x->m->mid, &marked);
	if (!gx_ec_failed(ec) && !marked && !x->again)
		ec = gx_rop__fail(x->c, ecAccessDenied, "such a message is not sent");
	if (!gx_ec_failed(ec) && for_spooler)
		ec = gx_search_link(t, GX_FID_SPOOLER, &x->m->mid, 1);
	ec = gx_rop__end(x->c, t, ec);
	return gx_ec_failed(ec) ? ec : gx_ec_from_err(gx_store_sync(x->c->logon->store));
}

/* The entry is there, safely, before the mark: whoever finds a mark without an answer finds the entry, too. */
static gx_ec post(struct submission *x)
{
	struct gx_ems *e = x->c->s->e;
	struct gx_ems_entry *out, in = {.mailbox = *gx_store_mailbox_guid(x->c->logon->store), .mid = x->m->mid, .due = x->due, .submitted = x->now,
		.again = x->due, .maildir = (char *)(uintptr_t)x->c->logon->maildir, .from = (char *)(uintptr_t)x->from};
	memcpy(in.id, x->id, sizeof(in.id));
	int err = gx_outbox__put(e, &in, &out);
	if (err != 0)
		return err == GX_E_EXISTS ? GX_EC(ecAlreadySent) : gx_rop__fail(x->c, gx_ec_from_err(err).v, "%s: %s",
			e->outbox.dir == NULL ? "outbox" : e->outbox.dir, gx_strerror(err));
	gx_ec ec = mark(x, false);
	if (gx_ec_failed(ec)) {
		gx_outbox__drop(e, out);
		return ec;
	}
	if (x->due <= x->now)
		return gx_outbox__attempt(e, out);
	gx_outbox__keep(e, out, x->due);
	return EMS_OK;
}

/* The mark, or what came of it, is a change that the open message has not seen. One that is gone stays as it is. */
static void look_again(struct submission *x)
{
	struct gx_txn *t;
	gx_ec ec = gx_rop__read(x->c, &t);
	if (gx_ec_failed(ec))
		return;
	(void)gx_inst_reload(t, x->m->inst).v;
	gx_txn_abort(t);
}

gx_ec gx_ems__submit(struct gx_rop_call *c, struct gx_ems_message *m, unsigned flags, struct gx_proplist *ret_people)
{
	struct gx_guid id;
	struct submission x = {.c = c, .m = m, .now = gx_clock_unix(c->s->e->o.clock)};
	gx_ec ec = check(&x);
	if (!gx_ec_failed(ec))
		ec = gx_ec_from_err(gx_guid_random(&id));
	if (!gx_ec_failed(ec))
		ec = gx_ems__sender(c, &x.have, &x.set, &x.from);
	if (gx_ec_failed(ec))
		return ec;
	memcpy(x.id, &id, sizeof(x.id));
	if (ret_people != NULL)
		ec = gx_ec_from_err(gx_proplist_copy(c->a, &x.set, ret_people));
	if (!gx_ec_failed(ec))
		ec = stamp(&x);
	if (flags & GX_SUBMIT_NOW)
		x.due = x.now;
	if (!gx_ec_failed(ec))
		ec = save(&x);
	if (gx_ec_failed(ec))
		return ec;
	ec = flags & GX_SUBMIT_SPOOLER ? mark(&x, true) : post(&x);
	look_again(&x);
	return ec;
}
