/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include <gx/mailconv.h>
#include <gx/owed.h>
#include "libgxproto/emsmdb/people.h"
#include "libgxproto/emsmdb/receipt.h"

/* ---- Who gets it ---- */

static const struct gx_ems_person_tags asked_for = {PidTagReadReceiptName, PidTagReadReceiptSmtpAddress, PidTagReadReceiptAddressType,
	PidTagReadReceiptEmailAddress, PidTagReadReceiptEntryId, PidTagReadReceiptSearchKey};

static int addressee(struct gx_rop_call *c, const struct gx_proplist *about, const char **ret_smtp)
{
	struct gx_ems *e = c->s->e;
	int err = gx_ems__smtp_of_person(e, c->a, about, &asked_for, ret_smtp);
	if (err == GX_E_NOTFOUND)
		err = gx_ems__smtp_of_person(e, c->a, about, &gx_ems__representing_tags, ret_smtp);
	return err == GX_E_NOTFOUND ? gx_ems__smtp_of_person(e, c->a, about, &gx_ems__sender_tags, ret_smtp) : err;
}

/* ---- What it says ---- */

static int put_texts(struct gx_rop_call *c, const struct gx_proplist *about, bool unread, const struct gx_user *who, struct gx_proplist *l)
{
	struct gx_arena *a = c->a;
	const char *subject = gx_proplist_str(about, PidTagSubject, ""), *id = gx_proplist_str(about, PidTagInternetMessageId, NULL);
	const char *cls = gx_arena_printf(a, "REPORT.%s.%s", gx_proplist_str(about, PidTagMessageClass, "IPM.Note"), unread ? "IPNNRN" : "IPNRN");
	const char *text = gx_arena_printf(a, "Your message\r\n\r\nTo: %s\r\nSubject: %s\r\n\r\n%s by %s.\r\n",
		gx_proplist_str(about, PidTagDisplayTo, ""), subject, unread ? "was deleted without being read" : "was read", who->username);
	const char *title = gx_arena_printf(a, unread ? "Not read: %s" : "Read: %s", gx_proplist_str(about, PidTagNormalizedSubject, subject));
	if (cls == NULL || text == NULL || title == NULL)
		return GX_E_NOMEM;
	int err = gx_proplist_set_str(l, a, PidTagMessageClass, cls);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagSubject, title);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagReportText, text);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagOriginalSubject, subject);
	if (err == 0 && id != NULL)
		err = gx_proplist_set_str(l, a, PidTagOriginalMessageId, id);
	return err != 0 || id == NULL ? err : gx_proplist_set_str(l, a, PidTagInReplyToId, id);
}

static int put_head(struct gx_rop_call *c, const struct gx_user *who, const struct gx_guid *id, struct gx_proplist *l)
{
	struct gx_ems *e = c->s->e;
	char text[37];
	const char *at = strchr(who->username, '@');
	gx_guid_print(id, text);
	const char *mid = gx_arena_printf(c->a, "<%s%s>", text, at == NULL ? "@localhost" : at);
	int err = mid == NULL ? GX_E_NOMEM : gx_proplist_set_str(l, c->a, PidTagInternetMessageId, mid);
	err = err != 0 ? err : gx_proplist_set_time(l, c->a, PidTagClientSubmitTime, gx_clock_nttime(e->o.clock));
	err = err != 0 ? err : gx_ems__set_person(e, c->a, who, &gx_ems__sender_tags, l);
	return err != 0 ? err : gx_ems__set_person(e, c->a, who, &gx_ems__representing_tags, l);
}

static int put_rcpt(struct gx_arena *a, struct gx_msgobj *m, const char *to)
{
	struct gx_proplist *l = gx_msgobj_add_rcpt(m, a);
	int err = l == NULL ? GX_E_NOMEM : gx_proplist_set_i32(l, a, PidTagRecipientType, 1);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagAddressType, "SMTP");
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagEmailAddress, to);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagSmtpAddress, to);
	return err != 0 ? err : gx_proplist_set_str(l, a, PidTagDisplayName, to);
}

/* ---- */

static int make(struct gx_rop_call *c, const struct gx_proplist *about, bool unread, const char **ret_to, struct gx_push *mail)
{
	const struct gx_mailconv_env conv = {.clock = c->s->e->o.clock};
	struct gx_msgobj *m = gx_msgobj_new(c->a);
	struct gx_user who;
	struct gx_guid id;
	int err = m == NULL ? GX_E_NOMEM : addressee(c, about, ret_to);
	err = err != 0 ? err : gx_dir_user(c->s->e->o.dir, c->logon->mailbox, c->a, &who);
	err = err != 0 ? err : gx_guid_random(&id);
	err = err != 0 ? err : put_head(c, &who, &id, &m->props);
	err = err != 0 ? err : put_texts(c, about, unread, &who, &m->props);
	err = err != 0 ? err : put_rcpt(c->a, m, *ret_to);
	return err != 0 ? err : gx_msg_to_mail(&conv, m, (struct gx_bin){NULL, 0}, 0, mail);
}

static gx_ec owe(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, bool unread, struct gx_ems_owing *o)
{
	struct gx_push mail = GX_PUSH_INIT;
	struct gx_msgobj *about;
	const char *to;
	gx_ec ec = gx_msg_brief(t, mid, c->a, &about);
	int err = gx_ec_failed(ec) ? 0 : make(c, &about->props, unread, &to, &mail);
	if (!gx_ec_failed(ec) && err == 0)
		ec = gx_ems__owe_mail(c, t, o, to, (struct gx_bin){mail.data, mail.len});
	gx_push_release(&mail);
	if (err != 0)
		gx_log(c->s->e->o.log, GX_LOG_WARN, "emsmdb: user=%s: a receipt is not sent: %s", c->s->user, gx_strerror(err));
	return ec;
}

/* There may be many of them: each has memory of its own. */
gx_ec gx_ems__owe_receipt(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, bool unread, struct gx_ems_owing *o)
{
	if (c->s->e->o.submit == NULL || c->logon->is_public)
		return EMS_OK;
	struct gx_rop_call one = *c;
	one.a = gx_arena_new(0);
	gx_ec ec = one.a == NULL ? GX_EC(ecMAPIOOM) : owe(&one, t, mid, unread, o);
	gx_arena_free(one.a);
	return ec;
}

gx_ec gx_ems__set_read(struct gx_rop_call *c, struct gx_txn *t, uint64_t mid, uint8_t flags, struct gx_ems_owing *o, bool *ret_changed)
{
	struct gx_read_result res = {0};
	gx_ec ec = gx_msg_set_read(t, mid, flags, &res);
	if (ret_changed != NULL)
		*ret_changed = res.changed;
	return gx_ec_failed(ec) || !res.receipt_due ? ec : gx_ems__owe_receipt(c, t, mid, false, o);
}

/* Who may delete what he may not read sends no receipts for it. */
static gx_ec on_unread(struct gx_txn *t, uint64_t mid, void *ctx)
{
	struct gx_ems_unread *w = ctx;
	gx_ec ec = gx_ems__owe_receipt(w->c, t, mid, true, w->o);
	return gx_ec_is(ec, ecAccessDenied) ? EMS_OK : ec;
}

void gx_ems__watch_unread(struct gx_rop_call *c, struct gx_txn *t, struct gx_ems_owing *o, struct gx_ems_unread *ret_w)
{
	*ret_w = (struct gx_ems_unread){c, o};
	if (c->s->e->o.submit != NULL)
		gx_txn_on_unread(t, on_unread, ret_w);
}
