/* SPDX-License-Identifier: Apache-2.0 */
/* Property rows of stores, folders, messages, recipients and attachments, [gromox formats 4]. */
#include <config.h>
#include <string.h>
#include <gx/charset.h>
#include "libgxstore/gromox/gromox-int.h"

static const char *const query[] = {
	[GX_GROMOX_STORE] = "SELECT proptag,propval FROM store_properties WHERE ?1=?1 ORDER BY proptag",
	[GX_GROMOX_FOLDER] = "SELECT proptag,propval FROM folder_properties WHERE folder_id=?1 ORDER BY proptag",
	[GX_GROMOX_MESSAGE] = "SELECT proptag,propval FROM message_properties WHERE message_id=?1 ORDER BY proptag",
	[GX_GROMOX_RCPT] = "SELECT proptag,propval FROM recipients_properties WHERE recipient_id=?1 ORDER BY proptag",
	[GX_GROMOX_ATTACH] = "SELECT proptag,propval FROM attachment_properties WHERE attachment_id=?1 ORDER BY proptag",
};

/* Properties whose rows hold the name of a content file. */
static bool in_file(int table, gx_proptag_t tag)
{
	static const gx_proptag_t msg[] = {PidTagBody, PidTagHtml, PidTagRtfCompressed, PidTagTransportMessageHeaders};
	if (table == GX_GROMOX_ATTACH)
		return GX_PROP_ID(tag) == GX_PROP_ID(PidTagAttachDataBinary);
	if (table != GX_GROMOX_MESSAGE)
		return false;
	for (size_t i = 0; i < sizeof(msg) / sizeof(msg[0]); i++)
		if (GX_PROP_ID(tag) == GX_PROP_ID(msg[i]))
			return true;
	return false;
}

struct row {
	struct gx_gromox *g;
	struct gx_arena *a;
	struct gx_stmt *st;
	uint32_t cp;
	gx_proptag_t src, tag; /* in the source, and in the new store */
};

static const char *tag_name(const struct row *r, char *buf, size_t size)
{
	const char *name = gx_proptag_alias(r->src);
	snprintf(buf, size, "%s%s%08x", name == NULL ? "" : name, name == NULL ? "" : " ", (unsigned)r->src);
	return buf;
}

/* @return 0: the value is left out; or what ends the conversion. */
static int bad(struct row *r, int err, int kind, const char *file, const char *what)
{
	char name[96];
	if (err == GX_E_NOMEM || err == GX_E_IO)
		return err;
	return gx_gromox__note(&r->g->notes, kind, file, "%s: %s", tag_name(r, name, sizeof(name)), what);
}

static int bad_value(struct row *r, int err)
{
	return bad(r, err, GX_CONV_VALUE, NULL, "the value is damaged; left out");
}

/* ---- Values in files ---- */

static const char *file_trouble(int err)
{
	switch (err) {
	case GX_E_NOTFOUND: return "the file with its value is missing; left out";
	case GX_E_LIMIT: return "the file with its value is too large; left out";
	default: return "the file with its value is damaged or none of Gromox's; left out";
	}
}

static int text_value(struct row *r, const void *p, size_t n, union gx_value *ret_v)
{
	bool guessed;
	char name[96];
	while (n > 0 && ((const char *)p)[n - 1] == '\0') /* old files of 8-bit text end so */
		n--;
	int err = gx_gromox__text(r->a, r->cp, p, n, &ret_v->str, &guessed);
	if (err != 0)
		return err;
	if (guessed)
		err = gx_gromox__note(&r->g->notes, GX_CONV_TEXT, NULL, "%s: is not UTF-8, taken for code page %u",
			tag_name(r, name, sizeof(name)), r->cp == 0 ? GX_CP_8BIT : r->cp);
	return err != 0 ? err : 1;
}

static int file_value(struct row *r, union gx_value *ret_v)
{
	const char *file = NULL, *name = gx_sql__text(r->st, 1);
	uint16_t type = GX_PROP_TYPE(r->src);
	struct gx_bin b;
	int err = gx_gromox__cid_read(r->g->cid, r->a, name, type == PtypString, &b, &file);
	if (err != 0)
		return bad(r, err, GX_CONV_CONTENT, file, file_trouble(err));
	switch (type) {
	case PtypString:
	case PtypString8:
		return text_value(r, b.data, b.len, ret_v);
	case PtypBinary:
	case PtypObject:
		ret_v->bin = b;
		return 1;
	default:
		return bad_value(r, GX_E_FORMAT);
	}
}

/* ---- Values in the row ---- */

static bool is_number(struct gx_stmt *st)
{
	int t = gx_sql__type(st, 1);
	return t == SQLITE_INTEGER || t == SQLITE_FLOAT;
}

/* The row is only valid until the next step. */
static int keep(struct row *r, struct gx_bin *ret_b)
{
	struct gx_bin b = gx_sql__blob(r->st, 1);
	uint8_t *p = gx_arena_alloc(r->a, b.len + 1); /* a NUL behind, for strings inside */
	if (p == NULL)
		return GX_E_NOMEM;
	if (b.len > 0)
		memcpy(p, b.data, b.len);
	p[b.len] = '\0';
	*ret_b = (struct gx_bin){p, b.len};
	return 0;
}

static int number_value(struct row *r, uint16_t type, union gx_value *v)
{
	int64_t n = gx_sql__int(r->st, 1);
	if (!is_number(r->st))
		return bad_value(r, GX_E_FORMAT);
	switch (type) {
	case PtypInteger16: v->i16 = (int16_t)n; break;
	case PtypInteger32: v->i32 = (int32_t)n; break;
	case PtypErrorCode: v->err = (uint32_t)n; break;
	case PtypBoolean: v->b = n != 0; break;
	case PtypFloating32: v->f32 = (float)gx_sql__f64(r->st, 1); break;
	case PtypFloating64:
	case PtypFloatingTime: v->f64 = gx_sql__f64(r->st, 1); break;
	case PtypTime: v->time = (uint64_t)n; break;
	default: v->i64 = n; break;
	}
	return 1;
}

static int blob_value(struct row *r, uint16_t type, union gx_value *v)
{
	const struct gx_gromox_px x = {.a = r->a, .map = r->g->map};
	struct gx_bin b;
	int err = keep(r, &b);
	if (err != 0)
		return err;
	switch (type) {
	case PtypGuid:
		if (b.len != 16)
			return bad_value(r, GX_E_FORMAT);
		gx_guid_get(b.data, &v->guid);
		return 1;
	case PtypBinary:
	case PtypObject:
		v->bin = b;
		return 1;
	case PtypServerId:
		err = gx_gromox__svreid(b, &v->bin);
		break;
	case PtypRestriction:
		err = gx_gromox__restr(&x, b, &v->restr);
		break;
	case PtypRuleAction:
		err = gx_gromox__actions(&x, b, &v->bin);
		break;
	default:
		err = gx_gromox__multi(&x, type, b, v);
		break;
	}
	return err != 0 ? bad_value(r, err) : 1;
}

/* @return 1 a value, 0 none, or an error. */
static int row_value(struct row *r, union gx_value *v)
{
	uint16_t type = GX_PROP_TYPE(r->src);
	if (gx_sql__is_null(r->st, 1))
		return bad_value(r, GX_E_FORMAT);
	switch (type) {
	case PtypInteger16:
	case PtypInteger32:
	case PtypErrorCode:
	case PtypBoolean:
	case PtypFloating32:
	case PtypFloating64:
	case PtypFloatingTime:
	case PtypTime:
	case PtypInteger64:
	case PtypCurrency:
		return number_value(r, type, v);
	case PtypString:
	case PtypString8: {
		/* Before EV-6 columns made numbers of texts that look like one; reading as text undoes that. */
		const char *s = gx_sql__text(r->st, 1);
		return text_value(r, s, gx_sql__blob(r->st, 1).len, v);
	}
	default:
		if (!gx_ptype_known(type) || type == PtypUnspecified || type == PtypNull)
			return bad(r, GX_E_FORMAT, GX_CONV_VALUE, NULL, "has no type that a value can have; left out");
		return blob_value(r, type, v);
	}
}

/* Both variants of a text may stand there: Unicode wins, and comes after 8-bit in the order of tags. */
static int one(struct row *r, int table, struct gx_proplist *l)
{
	union gx_value v = {0};
	r->src = (gx_proptag_t)gx_sql__int(r->st, 0);
	r->tag = gx_gromox__map_tag(r->g->map, r->src);
	if (r->tag == 0)
		return bad(r, GX_E_FORMAT, GX_CONV_NAME, NULL, "has no name in this mailbox; left out");
	int got = in_file(table, r->src) ? file_value(r, &v) : row_value(r, &v);
	return got <= 0 ? got : gx_proplist_set(l, r->a, r->tag, v);
}

int gx_gromox__props(struct gx_gromox *g, int table, uint64_t id, uint32_t cp, struct gx_arena *a,
	struct gx_proplist *ret_l)
{
	GX_STMT(st, g->q, query[table]);
	struct row r = {.g = g, .a = a, .st = st, .cp = cp};
	struct gx_proplist l = {0};
	int err = 0, s = 0;
	gx_sql__bind_int(st, 1, (int64_t)id);
	while (err == 0 && (s = gx_sql__step(st)) > 0)
		err = one(&r, table, &l);
	if (err == 0 && s == GX_E_FORMAT) /* what was read so far is kept */
		err = gx_gromox__note(&g->notes, GX_CONV_DATABASE, NULL, "properties cannot be read to the end: %s", g->q->why);
	else if (err == 0)
		err = s;
	if (err == 0)
		*ret_l = l;
	return err;
}
