/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the sender is told when recipients do not get his mail, or not yet: [RFC 3464] as internet mail, which is
 * REPORT.IPM.Note.NDR or .Delayed.DR in his mailbox, [MS-OXOMSG] 2.2.2. It has no sender: nobody bounces it.
 */
#include <config.h>
#include <stdio.h>
#include <string.h>
#include <gx/delivery.h>
#include <gx/mailconv.h>
#include "libgxproto/emsmdb/bounce.h"

enum { WHOLE_MOST = 256 * 1024, ID_HALF = 8 };

struct bounce {
	struct gx_ems *e;
	const struct gx_ems_entry *x;
	struct gx_arena *a;
	const struct gx_msgobj *whole;
	const struct gx_proplist *about;
	const struct gx_ems_refused *v;
	size_t n;
	bool delayed;
	uint8_t id[GX_OUTBOX_ID];
};

/* The same whenever the same recipients of the same mail are told of. */
static void make_id(struct bounce *b)
{
	uint64_t h = UINT64_C(14695981039346656037) ^ b->delayed; /* FNV-1a */
	for (size_t i = 0; i < b->n; ++i)
		for (const char *s = b->v[i].rcpt; ; ++s) {
			h = (h ^ (uint8_t)*s) * UINT64_C(1099511628211);
			if (*s == '\0')
				break;
		}
	for (size_t i = 0; i < GX_OUTBOX_ID; ++i)
		b->id[i] = b->x->id[i] ^ (uint8_t)(h >> 8 * (i % ID_HALF));
}

/* "550 5.1.1 ..." says 511, "550 ..." 500; what nobody has answered and is over, 447. */
static int32_t status_of(const struct bounce *b, const struct gx_fate *f)
{
	unsigned code = 0, cls = 0, subject = 0, detail = 0;
	int n = sscanf(f->says, "%3u %1u.%3u.%3u", &code, &cls, &subject, &detail);
	if (n == 4 && (cls == 4 || cls == 5))
		return (int32_t)(cls * 100 + (subject < 10 ? subject * 10 : 0) + (detail < 10 ? detail : 0));
	return b->delayed || !(f->err == GX_E_NOTFOUND || f->err == GX_E_INVAL) ? 447 : f->err == GX_E_NOTFOUND ? 511 : 500;
}

/* ---- What it says ---- */

static const char *human(const struct bounce *b)
{
	const char *subject = gx_proplist_str(b->about, PidTagSubject, "");
	const char *s = gx_arena_printf(b->a, b->delayed ?
		"Your message has not reached these recipients yet. It will be tried for %d days in all; you need not send it again.\r\n" :
		"Your message did not reach these recipients:\r\n", GX_OUTBOX_DAYS);
	for (size_t i = 0; s != NULL && i < b->n; ++i) {
		const struct gx_fate *f = b->v[i].fate;
		s = gx_arena_printf(b->a, "%s\r\n    %s\r\n        %s%s%s\r\n", s, b->v[i].rcpt, f->host, *f->host == '\0' ? "" : " said: ", f->says);
	}
	return s == NULL ? NULL : gx_arena_printf(b->a, "%s\r\nSubject: %s\r\n", s, subject);
}

static int put_person(const struct bounce *b, struct gx_proplist *l, const struct gx_ems_person_tags *tags)
{
	const char *at = strchr(b->x->from, '@');
	const char *smtp = gx_arena_printf(b->a, "postmaster%s", at == NULL ? "@localhost" : at);
	int err = smtp == NULL ? GX_E_NOMEM : gx_proplist_set_str(l, b->a, tags->name, "Mail Delivery System");
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, tags->smtp, smtp);
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, tags->type, "SMTP");
	return err != 0 ? err : gx_proplist_set_str(l, b->a, tags->address, smtp);
}

static int put_receiver(const struct bounce *b, struct gx_proplist *l)
{
	int err = gx_proplist_set_str(l, b->a, PidTagReceivedByName, b->x->from);
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagReceivedByAddressType, "SMTP");
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagReceivedByEmailAddress, b->x->from);
	return err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagReceivedBySmtpAddress, b->x->from);
}

static int put_ids(const struct bounce *b, struct gx_proplist *l)
{
	char hex[2 * GX_OUTBOX_ID + 1];
	const char *of = gx_proplist_str(b->about, PidTagInternetMessageId, NULL), *at = strchr(b->x->from, '@');
	for (size_t i = 0; i < GX_OUTBOX_ID; ++i)
		snprintf(hex + 2 * i, 3, "%02x", b->id[i]);
	const char *id = gx_arena_printf(b->a, "<%s%s>", hex, at == NULL ? "@localhost" : at);
	int err = id == NULL ? GX_E_NOMEM : gx_proplist_set_str(l, b->a, PidTagInternetMessageId, id);
	return err != 0 || of == NULL ? err : gx_proplist_set_str(l, b->a, PidTagInReplyToId, of);
}

static int put_head(const struct bounce *b, struct gx_proplist *l)
{
	const char *subject = gx_proplist_str(b->about, PidTagSubject, ""), *at = strchr(b->x->from, '@'), *text = human(b);
	const char *title = gx_arena_printf(b->a, "%s: %s", b->delayed ? "Delivery delayed" : "Undeliverable", subject);
	if (text == NULL || title == NULL)
		return GX_E_NOMEM;
	int err = gx_proplist_set_str(l, b->a, PidTagMessageClass, b->delayed ? "REPORT.IPM.Note.Delayed.DR" : "REPORT.IPM.Note.NDR");
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagSubject, title);
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagReportText, text);
	err = err != 0 ? err : gx_proplist_set_str(l, b->a, PidTagReportingMessageTransferAgent, at == NULL ? "localhost" : at + 1);
	err = err != 0 ? err : gx_proplist_set_time(l, b->a, PidTagDeliverTime, gx_nttime_from_unix(b->x->submitted, 0));
	err = err != 0 ? err : gx_proplist_set_time(l, b->a, PidTagClientSubmitTime, gx_clock_nttime(b->e->o.clock));
	err = err != 0 ? err : put_person(b, l, &gx_ems__sender_tags);
	err = err != 0 ? err : put_person(b, l, &gx_ems__representing_tags);
	err = err != 0 ? err : put_receiver(b, l);
	return err != 0 ? err : put_ids(b, l);
}

static int put_refused(const struct bounce *b, struct gx_msgobj *m, const struct gx_ems_refused *r)
{
	struct gx_arena *a = b->a;
	struct gx_proplist *l = gx_msgobj_add_rcpt(m, a);
	int err = l == NULL ? GX_E_NOMEM : gx_proplist_set_i32(l, a, PidTagRecipientType, 1);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagDisplayName, r->rcpt);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagAddressType, "SMTP");
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagEmailAddress, r->rcpt);
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagSmtpAddress, r->rcpt);
	err = err != 0 ? err : gx_proplist_set_i32(l, a, PidTagNonDeliveryReportStatusCode, status_of(b, r->fate));
	err = err != 0 ? err : gx_proplist_set_str(l, a, PidTagSupplementaryInfo, r->fate->says);
	if (err == 0 && *r->fate->host != '\0')
		err = gx_proplist_set_str(l, a, PidTagRemoteMessageTransferAgent, r->fate->host);
	return err;
}

/* The mail, by which it can be sent again; of a large one its head. */
static int put_mail(const struct bounce *b, struct gx_msgobj *m, struct gx_bin mail)
{
	struct gx_attach *x = gx_msgobj_add_attach(m, b->a);
	const uint8_t *end = mail.len <= WHOLE_MOST ? NULL : memmem(mail.data, mail.len, "\r\n\r\n", 4);
	size_t n = end == NULL ? mail.len : (size_t)(end - mail.data) + 2;
	if (x == NULL)
		return GX_E_NOMEM;
	if (end == NULL) {
		x->embedded = (struct gx_msgobj *)(uintptr_t)b->whole;
		return gx_proplist_set_i32(&x->props, b->a, PidTagAttachMethod, 5);
	}
	int err = gx_proplist_set_str(&x->props, b->a, PidTagAttachMimeTag, "text/rfc822-headers");
	err = err != 0 ? err : gx_proplist_set_i32(&x->props, b->a, PidTagAttachMethod, 1);
	return err != 0 ? err : gx_proplist_set_bin(&x->props, b->a, PidTagAttachDataBinary, mail.data, n);
}

/* ---- */

static int hand_over(const struct bounce *b, const struct gx_msgobj *m)
{
	const struct gx_mailconv_env conv = {.clock = b->e->o.clock};
	const char *to = b->x->from;
	struct gx_fate fate = {0};
	struct gx_push p = GX_PUSH_INIT;
	int err = gx_msg_to_mail(&conv, m, (struct gx_bin){NULL, 0}, 0, &p);
	if (err == 0) {
		const struct gx_envelope env = {.from = "", .rcpts = &to, .rcpt_count = 1, .client = "mapi",
			.received_unix = gx_clock_unix(b->e->o.clock), .id = b->id, .smtputf8 = true};
		err = b->e->o.submit(&(struct gx_ems_mail){&env, {p.data, p.len}, &fate}, b->e->o.submit_ctx);
	}
	gx_push_release(&p);
	if (err == GX_E_NOTFOUND || err == GX_E_INVAL) {
		gx_log(b->e->o.log, GX_LOG_WARN, "emsmdb: <%s> cannot be told what became of a mail of his: %s", to, gx_strerror(err));
		return 0;
	}
	return err;
}

int gx_ems__bounce(struct gx_ems *e, const struct gx_ems_entry *x, const struct gx_msgobj *about, struct gx_bin mail, bool delayed,
	const struct gx_ems_refused *v, size_t n, struct gx_arena *a)
{
	struct bounce b = {.e = e, .x = x, .a = a, .whole = about, .about = &about->props, .v = v, .n = n, .delayed = delayed};
	struct gx_msgobj *m = gx_msgobj_new(a);
	if (*x->from == '\0')
		return 0;
	make_id(&b);
	int err = m == NULL ? GX_E_NOMEM : put_head(&b, &m->props);
	for (size_t i = 0; err == 0 && i < n; ++i)
		err = put_refused(&b, m, &v[i]);
	err = err != 0 ? err : put_mail(&b, m, mail);
	return err != 0 ? err : hand_over(&b, m);
}
