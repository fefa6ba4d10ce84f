/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <gx/charset.h>
#include "libgxproto/imap/imap-int.h"

void gx_imap__put_u64(struct gx_push *out, uint64_t v)
{
	char d[20];
	size_t i = sizeof(d);
	do {
		d[--i] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	gx_push_bytes(out, d + i, sizeof(d) - i);
}

static bool quotable(const char *s, size_t n)
{
	if (n > 1000)
		return false;
	for (size_t i = 0; i < n; ++i)
		if (s[i] == '\r' || s[i] == '\n' || s[i] == '\0' || (unsigned char)s[i] >= 0x80)
			return false;
	return true;
}

static void put_quoted(struct gx_push *out, const char *s, size_t n)
{
	imap_puts(out, "\"");
	for (size_t i = 0; i < n;) {
		size_t k = i;
		while (k < n && s[k] != '"' && s[k] != '\\')
			++k;
		gx_push_bytes(out, s + i, k - i);
		if (k < n) {
			imap_puts(out, "\\");
			gx_push_u8(out, (uint8_t)s[k++]);
		}
		i = k;
	}
	imap_puts(out, "\"");
}

void gx_imap__put_string(struct gx_push *out, const char *s, size_t n)
{
	if (quotable(s, n)) {
		put_quoted(out, s, n);
		return;
	}
	imap_puts(out, "{");
	gx_imap__put_u64(out, n);
	imap_puts(out, "}\r\n");
	gx_push_bytes(out, s, n);
}

void gx_imap__put_nstring(struct gx_push *out, const char *s)
{
	if (s == NULL)
		imap_puts(out, "NIL");
	else
		gx_imap__put_string(out, s, strlen(s));
}

void gx_imap__put_mailbox(struct imap_session *s, const char *name)
{
	char *enc;
	if (s->rev2 && strpbrk(name, "\r\n") == NULL) {
		put_quoted(s->out, name, strlen(name));
		return;
	}
	if (gx_imap__mutf7_encode(s->arena, name, &enc) != 0) {
		gx_push_fail(s->out, GX_E_NOMEM);
		return;
	}
	gx_imap__put_string(s->out, enc, strlen(enc));
}

void gx_imap__put_ranges(struct gx_push *out, const struct imap_range *v, size_t n)
{
	for (size_t i = 0; i < n; ++i) {
		if (i > 0)
			imap_puts(out, ",");
		gx_imap__put_u64(out, v[i].lo);
		if (v[i].hi != v[i].lo) {
			imap_puts(out, ":");
			gx_imap__put_u64(out, v[i].hi);
		}
	}
}

static void log_command(const struct imap_session *s, const char *status, const char *text)
{
	int need = *status == 'O' ? 2 : 1;
	if (s->srv->cmd_debug >= need)
		gx_log(s->io->log, GX_LOG_NOTICE, "[%llu] imap user=%s %s%s: %s %s", (unsigned long long)s->io->id,
			s->user == NULL ? "" : s->user->actor.user, s->uid_form ? "UID " : "",
			s->row == NULL ? "?" : s->row->name, status, text);
}

static void tagged(struct imap_session *s, const char *status, const char *fmt, va_list ap)
{
	char text[512];
	vsnprintf(text, sizeof(text), fmt, ap);
	for (char *p = text; *p != '\0'; ++p)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = '?';
	log_command(s, status, text);
	gx_push_str(s->out, s->tag == NULL ? "*" : s->tag);
	gx_push_u8(s->out, ' ');
	gx_push_str(s->out, status);
	gx_push_u8(s->out, ' ');
	gx_push_str(s->out, text);
	imap_puts(s->out, "\r\n");
}

/* [RFC 3501] 5.2: changes are reported before the command ends. */
static void report_changes(struct imap_session *s)
{
	if (s->sel == NULL || s->on_loop || !gx_imap__view_stale(s))
		return;
	bool keep = s->row != NULL && (s->row->flags & IMAP_F_KEEP) && !s->uid_form;
	gx_imap__view_refresh(s, !keep);
}

enum imap_result gx_imap__ok(struct imap_session *s, const char *fmt, ...)
{
	report_changes(s);
	if (s->user != NULL) /* the limit is for clients that send nothing else */
		s->bad = 0;
	va_list ap;
	va_start(ap, fmt);
	tagged(s, "OK", fmt, ap);
	va_end(ap);
	return IMAP_DONE;
}

enum imap_result gx_imap__no(struct imap_session *s, const char *fmt, ...)
{
	report_changes(s);
	va_list ap;
	va_start(ap, fmt);
	tagged(s, "NO", fmt, ap);
	va_end(ap);
	return IMAP_DONE;
}

enum imap_result gx_imap__bad(struct imap_session *s, const char *fmt, ...)
{
	va_list ap;
	++s->bad;
	va_start(ap, fmt);
	tagged(s, "BAD", fmt, ap);
	va_end(ap);
	return IMAP_DONE;
}

/* [RFC 5530] 3 */
static const char *code_of(int err)
{
	switch (err) {
	case GX_E_NOTFOUND: return "[NONEXISTENT] ";
	case GX_E_EXISTS: return "[ALREADYEXISTS] ";
	case GX_E_NOSPACE: return "[OVERQUOTA] ";
	case GX_E_LIMIT: return "[LIMIT] ";
	case GX_E_BUSY:
	case GX_E_TIMEOUT: return "[INUSE] ";
	case GX_E_IO:
	case GX_E_NOMEM: return "[UNAVAILABLE] ";
	case GX_E_FORMAT: return "[CORRUPTION] ";
	case GX_E_INTERNAL: return "[SERVERBUG] ";
	default: return "[CANNOT] ";
	}
}

static bool is_ours(int err)
{
	return err == GX_E_IO || err == GX_E_NOMEM || err == GX_E_FORMAT || err == GX_E_INTERNAL || err == GX_E_NOSPACE ||
	       err == GX_E_TIMEOUT;
}

enum imap_result gx_imap__no_ec(struct imap_session *s, gx_ec ec, const char *what, struct gx_txn *t)
{
	int err = gx_ec_to_err(ec);
	if (is_ours(err) && !gx_ec_is(ec, ecQuotaExceeded)) /* a full disk is ours, a full mailbox is not */
		gx_log(s->io->log, GX_LOG_ERROR, "[%llu] imap user=%s: %s: %s%s%s", (unsigned long long)s->io->id,
			s->user == NULL ? "" : s->user->actor.user, what, gx_ec_name(ec), t == NULL ? "" : " ",
			t == NULL ? "" : gx_txn_why(t));
	gx_txn_abort(t);
	const char *code = gx_ec_is(ec, ecAccessDenied) ? "[NOPERM] " : code_of(err);
	return gx_imap__no(s, "%s%s: %s", code, what, gx_ec_text(ec));
}

enum imap_result gx_imap__no_err(struct imap_session *s, int err, const char *what)
{
	if (is_ours(err))
		gx_log(s->io->log, GX_LOG_ERROR, "[%llu] imap user=%s: %s: %s", (unsigned long long)s->io->id,
			s->user == NULL ? "" : s->user->actor.user, what, gx_strerror(err));
	return gx_imap__no(s, "%s%s: %s", code_of(err), what, gx_strerror(err));
}

struct gx_txn *gx_imap__begin(struct imap_session *s, int mode)
{
	struct gx_txn *t = NULL;
	int err = gx_txn_begin(s->user->store, &s->user->actor, mode, IMAP_TXN_MS, &t);
	if (err != 0)
		gx_imap__no_err(s, err, "Mailbox is not available now");
	return err == 0 ? t : NULL;
}

bool gx_imap__commit(struct imap_session *s, struct gx_txn *t, int sync)
{
	int err = gx_txn_commit(t, sync);
	if (err != 0)
		gx_imap__no_err(s, err, "Change could not be stored");
	return err == 0;
}

void gx_imap__put_capabilities(struct imap_session *s)
{
	imap_puts(s->out, "CAPABILITY IMAP4rev1 ");
	if (s->srv->rfc9051)
		imap_puts(s->out, "IMAP4rev2 ");
	imap_puts(s->out, "LITERAL+ SASL-IR ENABLE IDLE");
	if (s->srv->enable_id)
		imap_puts(s->out, " ID");
	if (s->user != NULL) {
		imap_puts(s->out, " NAMESPACE CHILDREN UIDPLUS MOVE UNSELECT SPECIAL-USE LIST-EXTENDED LIST-STATUS "
			"STATUS=SIZE ESEARCH SEARCHRES CONDSTORE WITHIN");
		return;
	}
	if (s->srv->offer_starttls && !s->tls)
		imap_puts(s->out, " STARTTLS");
	if (s->srv->require_tls && !s->tls)
		imap_puts(s->out, " LOGINDISABLED");
	else
		imap_puts(s->out, " AUTH=PLAIN");
}
