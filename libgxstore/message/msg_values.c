/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <stdlib.h>
#include <string.h>
#include <gx/entryid.h>
#include "libgxstore/message/msg-int.h"

/*
 * Properties that are not simply what was stored: columns, ids, what follows from recipients or from
 * other properties. One table for stored messages, instances and tables, so that a
 * property has one answer wherever it is asked for.
 */

static int give_i32(struct gx_propval *pv, gx_proptag_t tag, int64_t v)
{
	*pv = (struct gx_propval){.tag = tag, .v.i32 = v > INT32_MAX ? INT32_MAX : (int32_t)v};
	return 0;
}

static int give_i64(struct gx_propval *pv, gx_proptag_t tag, uint64_t v)
{
	*pv = (struct gx_propval){.tag = tag, .v.i64 = (int64_t)v};
	return 0;
}

static int give_bool(struct gx_propval *pv, gx_proptag_t tag, bool v)
{
	*pv = (struct gx_propval){.tag = tag, .v.b = v};
	return 0;
}

static int give_str(struct gx_propval *pv, gx_proptag_t tag, const char *s)
{
	if (s == NULL)
		return GX_E_NOMEM;
	*pv = (struct gx_propval){.tag = tag, .v.str = s};
	return 0;
}

static int give_bytes(struct gx_msg_view *v, struct gx_propval *pv, gx_proptag_t tag, const void *p, size_t n)
{
	const uint8_t *copy = gx_arena_memdup(v->a, p, n);
	if (copy == NULL)
		return GX_E_NOMEM;
	*pv = (struct gx_propval){.tag = tag, .v.bin = {copy, n}};
	return 0;
}

const struct gx_propval *gx_prop__by_id(const struct gx_proplist *l, gx_proptag_t tag)
{
	for (size_t i = 0; i < l->count; i++)
		if (GX_PROP_ID(l->v[i].tag) == GX_PROP_ID(tag))
			return &l->v[i];
	return NULL;
}

static int give_stored(struct gx_msg_view *v, struct gx_propval *pv, gx_proptag_t tag)
{
	const struct gx_propval *have = gx_proplist_get(v->stored, tag);
	if (have == NULL)
		return GX_E_NOTFOUND;
	*pv = *have;
	return 0;
}

/* ---- Ids ---- */

static int v_id(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagMid):
		return v->row->mid == 0 ? GX_E_NOTFOUND : give_i64(pv, PidTagMid, v->row->mid);
	case GX_PROP_ID(PidTagChangeNumber):
		return v->row->cn == 0 ? give_stored(v, pv, PidTagChangeNumber) : give_i64(pv, PidTagChangeNumber, v->row->cn);
	case GX_PROP_ID(PidTagInternetArticleNumber):
		return v->row->uid == 0 ? GX_E_NOTFOUND : give_i32(pv, PidTagInternetArticleNumber, (int32_t)v->row->uid);
	case GX_PROP_ID(PidTagParentFolderId):
		return v->row->fid == 0 ? GX_E_NOTFOUND : give_i64(pv, PidTagParentFolderId, v->row->fid);
	default:
		return v->row->fid == 0 ? GX_E_NOTFOUND : give_i64(pv, PidTagFolderId, v->row->fid);
	}
}

static const struct gx_guid *provider(const struct gx_store *s)
{
	return s->is_public ? NULL : &s->mailbox;
}

static int v_entryid(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	const struct gx_store *s = v->t->s;
	if (v->row->mid == 0)
		return GX_E_NOTFOUND;
	pv->tag = GX_PROP_RETYPE(tag, PtypBinary);
	return gx_entryid_message(v->a, provider(s), &s->replica, v->row->fid, &s->replica, v->row->mid, &pv->v.bin);
}

static int v_parent_entryid(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	const struct gx_store *s = v->t->s;
	if (v->row->fid == 0)
		return GX_E_NOTFOUND;
	pv->tag = GX_PROP_RETYPE(tag, PtypBinary);
	return gx_entryid_folder(v->a, provider(s), &s->replica, v->row->fid, &pv->v.bin);
}

static int v_source_key(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	uint64_t id = GX_PROP_ID(tag) == GX_PROP_ID(PidTagSourceKey) ? v->row->mid : v->row->fid;
	if (id == 0)
		return GX_E_NOTFOUND;
	pv->tag = GX_PROP_RETYPE(tag, PtypBinary);
	return gx_entryid_gid(v->a, &v->t->s->replica, id, &pv->v.bin);
}

static int v_store_key(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	uint8_t b[16];
	gx_guid_put(&v->t->s->mailbox, b);
	return give_bytes(v, pv, GX_PROP_RETYPE(tag, PtypBinary), b, sizeof(b));
}

/*
 * Keys of a version made elsewhere are stored with the change number that it got here: they hold as long
 * as the message has that number. After it the message is at a version of ours, and
 * what it was made from stays in the predecessor list. [MS-OXCFXICS] 2.2.1.2.7, 2.2.1.2.8
 */
static bool foreign_version(struct gx_msg_view *v)
{
	const struct gx_propval *cn = gx_proplist_get(v->stored, PidTagChangeNumber);
	return cn != NULL && (uint64_t)cn->v.i64 == v->row->cn && gx_proplist_get(v->stored, PidTagChangeKey) != NULL;
}

static int v_change_key(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	(void)tag;
	if (v->row->cn == 0)
		return give_stored(v, pv, PidTagChangeKey);
	if (foreign_version(v))
		return give_stored(v, pv, PidTagChangeKey);
	pv->tag = PidTagChangeKey;
	return gx_entryid_gid(v->a, &v->t->s->replica, v->row->cn, &pv->v.bin);
}

static int v_pcl(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	const struct gx_propval *have = gx_proplist_get(v->stored, PidTagPredecessorChangeList);
	struct gx_bin old = have == NULL ? (struct gx_bin){NULL, 0} : have->v.bin;
	(void)tag;
	if (have != NULL && (v->row->cn == 0 || foreign_version(v))) {
		*pv = *have;
		return 0;
	}
	if (v->row->cn == 0)
		return GX_E_NOTFOUND;
	pv->tag = PidTagPredecessorChangeList;
	int err = gx_pcl_add(v->a, old, &v->t->s->replica, v->row->cn, &pv->v.bin);
	/* A list that is none came from outside: what is sure is the present version. */
	return err == GX_E_FORMAT || err == GX_E_TRUNC ?
		gx_pcl_add(v->a, (struct gx_bin){NULL, 0}, &v->t->s->replica, v->row->cn, &pv->v.bin) : err;
}

/* Copies keep it, so it comes from what they share. */
static int v_search_key(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	uint8_t b[16];
	(void)tag;
	if (gx_proplist_get(v->stored, PidTagSearchKey) != NULL)
		return give_stored(v, pv, PidTagSearchKey);
	if (v->row->body == 0)
		return GX_E_NOTFOUND;
	gx_guid_put(&v->t->s->replica, b);
	for (unsigned i = 0; i < 6; i++)
		b[10 + i] = (uint8_t)(v->row->body >> 8 * (5 - i));
	return give_bytes(v, pv, PidTagSearchKey, b, sizeof(b));
}

/* ---- State ---- */

static int v_message_flags(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	static const struct {
		uint32_t column;
		int32_t flag;
	} map[] = {
		{GX_MSGF_SUBMIT, MSGFLAG_SUBMIT}, {GX_MSGF_UNSENT | GX_MSGF_DRAFT, MSGFLAG_UNSENT},
		{GX_MSGF_HASATTACH, MSGFLAG_HASATTACH}, {GX_MSGF_FROMME, MSGFLAG_FROMME}, {GX_MSGF_FAI, MSGFLAG_FAI},
		{GX_MSGF_RESEND, MSGFLAG_RESEND}, {GX_MSGF_RNPENDING, MSGFLAG_NOTIFYREAD}, {GX_MSGF_NRNPENDING, MSGFLAG_NOTIFYUNREAD},
	};
	int read = gx_msg__is_read(v->t, v->row);
	(void)tag;
	if (read < 0)
		return read;
	/* mfEverRead goes with mfRead: that is how the specification has it. */
	int32_t f = read ? MSGFLAG_READ | MSGFLAG_EVERREAD : 0;
	f |= v->row->flags & GX_MSGF_MODIFIED ? 0 : MSGFLAG_UNMODIFIED;
	for (size_t i = 0; i < sizeof(map) / sizeof(map[0]); i++)
		f |= v->row->flags & map[i].column ? map[i].flag : 0;
	return give_i32(pv, PidTagMessageFlags, f);
}

static int v_bits(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagRead): {
		int read = gx_msg__is_read(v->t, v->row);
		return read < 0 ? read : give_bool(pv, PidTagRead, read != 0);
	}
	case GX_PROP_ID(PidTagHasAttachments):
		return give_bool(pv, PidTagHasAttachments, (v->row->flags & GX_MSGF_HASATTACH) != 0);
	default:
		return give_bool(pv, PidTagAssociated, (v->row->flags & GX_MSGF_FAI) != 0);
	}
}

static int v_named(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	bool any = false;
	(void)tag;
	for (size_t i = 0; i < v->stored->count; i++)
		any = any || GX_PROP_IS_NAMED(v->stored->v[i].tag);
	return give_bool(pv, PidTagHasNamedProperties, any);
}

/* The flag of IMAP decides whether there is one, the property what more is said of it. */
static int v_flag_status(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	int32_t stored = gx_proplist_i32(v->stored, PidTagFlagStatus, 0);
	(void)tag;
	if (v->row->flags & GX_MSGF_FLAGGED)
		return give_i32(pv, PidTagFlagStatus, followupFlagged);
	return stored == followupComplete ? give_i32(pv, PidTagFlagStatus, stored) : GX_E_NOTFOUND;
}

static int v_last_verb(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	int32_t stored = gx_proplist_i32(v->stored, PidTagLastVerbExecuted, 0);
	(void)tag;
	if (stored == 0 && (v->row->flags & (GX_MSGF_ANSWERED | GX_MSGF_FORWARDED)))
		stored = v->row->flags & GX_MSGF_ANSWERED ? VERB_REPLY : VERB_FORWARD;
	return stored == 0 ? GX_E_NOTFOUND : give_i32(pv, PidTagLastVerbExecuted, stored);
}

static int v_size(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	if (v->row->mid == 0 && v->row->size == 0)
		return GX_E_NOTFOUND;
	return GX_PROP_TYPE(tag) == PtypInteger32 ?
		give_i32(pv, PidTagMessageSize, v->row->size > INT32_MAX ? INT32_MAX : (int64_t)v->row->size) :
		give_i64(pv, PidTagMessageSizeExtended, v->row->size);
}

static int v_time(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	int err = give_stored(v, pv, GX_PROP_RETYPE(tag, PtypTime));
	if (err == GX_E_NOTFOUND && GX_PROP_ID(tag) == GX_PROP_ID(PidTagLocalCommitTime))
		err = give_stored(v, pv, PidTagLastModificationTime);
	if (err != GX_E_NOTFOUND || v->row->received == 0) {
		pv->tag = err == 0 ? GX_PROP_RETYPE(tag, PtypTime) : pv->tag;
		return err;
	}
	*pv = (struct gx_propval){.tag = GX_PROP_RETYPE(tag, PtypTime), .v.time = v->row->received};
	return 0;
}

static int v_object_type(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	(void)v;
	(void)tag;
	return give_i32(pv, PidTagObjectType, 5); /* MAPI_MESSAGE */
}

static int v_access(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	uint32_t r = GX_RIGHTS_ALL;
	bool mine = v->row->mine || v->row->mid == 0;
	int err = v->row->fid == 0 ? 0 : gx_perm__rights(v->t, v->row->fid, &r);
	if (err != 0)
		return err;
	bool edit = (r & GX_RIGHT_EDIT_ANY) || (mine && (r & GX_RIGHT_EDIT_OWN));
	bool del = (r & GX_RIGHT_DELETE_ANY) || (mine && (r & GX_RIGHT_DELETE_OWN));
	if (GX_PROP_ID(tag) == GX_PROP_ID(PidTagAccessLevel))
		return give_i32(pv, PidTagAccessLevel, edit);
	return give_i32(pv, PidTagAccess, MAPI_ACCESS_READ | (edit ? MAPI_ACCESS_MODIFY : 0) | (del ? MAPI_ACCESS_DELETE : 0));
}

/* ---- Texts that follow from others ---- */

/* [MS-OXCMSG] 2.2.1.9, 2.2.1.10, 2.2.1.46: any two of the three give the third. */
static int v_subject(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	const char *whole = gx_proplist_str(v->stored, PidTagSubject, NULL);
	const char *prefix = gx_proplist_str(v->stored, PidTagSubjectPrefix, NULL);
	const char *rest = gx_proplist_str(v->stored, PidTagNormalizedSubject, NULL);
	tag = GX_PROP_RETYPE(tag, PtypString);
	if (whole == NULL && rest == NULL)
		return GX_E_NOTFOUND;
	size_t n = prefix != NULL ? strlen(prefix) : whole != NULL ? gx_subject_prefix(whole) : 0;
	if (whole != NULL && prefix != NULL && strncmp(whole, prefix, n) != 0)
		n = 0;
	if (tag == PidTagSubject)
		return give_str(pv, tag, whole != NULL ? whole : gx_arena_printf(v->a, "%s%s", prefix == NULL ? "" : prefix, rest));
	if (tag == PidTagNormalizedSubject)
		return give_str(pv, tag, rest != NULL ? rest : whole + n);
	return give_str(pv, tag, prefix != NULL ? prefix : gx_arena_strndup(v->a, whole == NULL ? "" : whole, n));
}

static int add_name(struct gx_strbuf *b, const struct gx_proplist *r)
{
	const char *s = gx_proplist_str(r, PidTagDisplayName, NULL);
	if (s == NULL)
		s = gx_proplist_str(r, PidTagSmtpAddress, NULL);
	if (s == NULL)
		s = gx_proplist_str(r, PidTagEmailAddress, "");
	gx_strbuf_printf(b, "%s%s", b->len == 0 ? "" : "; ", s);
	return b->err;
}

/* [MS-OXOMSG] 2.2.1.7 - 2.2.1.9: names of one kind of recipients */
static int v_display(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	int32_t type = GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayTo) ? 1 : GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayCc) ? 2 : 3;
	struct gx_strbuf b = GX_STRBUF_INIT;
	int err = v->have_rcpts ? 0 : v->load_rcpts(v, &v->rcpts, &v->rcpt_count);
	v->have_rcpts = err == 0;
	for (size_t i = 0; err == 0 && i < v->rcpt_count; i++)
		if ((gx_proplist_i32(&v->rcpts[i], PidTagRecipientType, 1) & 0xf) == type)
			err = add_name(&b, &v->rcpts[i]);
	if (err == 0)
		err = give_str(pv, GX_PROP_RETYPE(tag, PtypString), gx_arena_strdup(v->a, gx_strbuf_cstr(&b)));
	gx_strbuf_release(&b);
	return err;
}

/* ---- Bodies ---- */

int32_t gx_msg__native_body(const struct gx_proplist *l)
{
	enum { UNDEFINED = 0, PLAIN = 1, RTF = 2, HTML = 3 };
	bool plain = gx_prop__by_id(l, PidTagBody) != NULL, rtf = gx_prop__by_id(l, PidTagRtfCompressed) != NULL;
	bool html = gx_prop__by_id(l, PidTagHtml) != NULL;
	const struct gx_propval *sync = gx_proplist_get(l, PidTagRtfInSync);
	bool in_sync = sync != NULL && sync->v.b;
	int32_t said = gx_proplist_i32(l, PidTagNativeBody, UNDEFINED);
	if ((said == PLAIN && plain) || (said == RTF && rtf) || (said == HTML && html) || said > HTML)
		return said;
	/* The table of [MS-OXBBODY] 2.1.3.1, as far as the store can be in its states. */
	if (rtf && (in_sync || (!plain && !html)))
		return RTF;
	return html ? HTML : plain ? PLAIN : UNDEFINED;
}

static int v_body_info(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv)
{
	if (GX_PROP_ID(tag) == GX_PROP_ID(PidTagRtfInSync)) {
		const struct gx_propval *sync = gx_proplist_get(v->stored, PidTagRtfInSync);
		bool rtf = gx_prop__by_id(v->stored, PidTagRtfCompressed) != NULL;
		/* Who has no other text has none that could differ. */
		return rtf ? give_bool(pv, PidTagRtfInSync, sync != NULL ? sync->v.b : gx_msg__native_body(v->stored) == 2) : GX_E_NOTFOUND;
	}
	int32_t n = gx_msg__native_body(v->stored);
	return n == 0 ? GX_E_NOTFOUND : give_i32(pv, PidTagNativeBody, n);
}

/* ---- The table, by id ---- */

struct rule {
	gx_proptag_t tag;
	int (*get)(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *pv);
	bool by_row; /* asks for nothing but the row and the store */
};
#define BY_ROW true
static const struct rule rules[] = {
	{PidTagSubject, v_subject},                     /* 0037 */
	{PidTagSubjectPrefix, v_subject},               /* 003d */
	{PidTagDisplayBcc, v_display},                  /* 0e02 */
	{PidTagDisplayCc, v_display},                   /* 0e03 */
	{PidTagDisplayTo, v_display},                   /* 0e04 */
	{PidTagMessageDeliveryTime, v_time},            /* 0e06 */
	{PidTagMessageFlags, v_message_flags, BY_ROW},  /* 0e07 */
	{PidTagMessageSizeExtended, v_size, BY_ROW},    /* 0e08 */
	{PidTagParentEntryId, v_parent_entryid, BY_ROW}, /* 0e09 */
	{PidTagHasAttachments, v_bits, BY_ROW},         /* 0e1b */
	{PidTagNormalizedSubject, v_subject},           /* 0e1d */
	{PidTagRtfInSync, v_body_info},                 /* 0e1f */
	{PidTagInternetArticleNumber, v_id, BY_ROW},    /* 0e23 */
	{PidTagRead, v_bits, BY_ROW},                   /* 0e69 */
	{PidTagAccess, v_access, BY_ROW},               /* 0ff4 */
	{PidTagAccessLevel, v_access, BY_ROW},          /* 0ff7 */
	{PidTagMappingSignature, v_store_key, BY_ROW},  /* 0ff8 */
	{PidTagRecordKey, v_entryid, BY_ROW},           /* 0ff9 */
	{PidTagStoreRecordKey, v_store_key, BY_ROW},    /* 0ffa */
	{PidTagObjectType, v_object_type, BY_ROW},      /* 0ffe */
	{PidTagEntryId, v_entryid, BY_ROW},             /* 0fff */
	{PidTagNativeBody, v_body_info},                /* 1016 */
	{PidTagLastVerbExecuted, v_last_verb},          /* 1081 */
	{PidTagFlagStatus, v_flag_status},              /* 1090 */
	{PidTagCreationTime, v_time},                   /* 3007 */
	{PidTagLastModificationTime, v_time},           /* 3008 */
	{PidTagSearchKey, v_search_key},                /* 300b */
	{PidTagConversationId, gx_msg__conversation},   /* 3013 */
	{PidTagSourceKey, v_source_key, BY_ROW},        /* 65e0 */
	{PidTagParentSourceKey, v_source_key, BY_ROW},  /* 65e1 */
	{PidTagChangeKey, v_change_key},                /* 65e2 */
	{PidTagPredecessorChangeList, v_pcl},           /* 65e3 */
	{PidTagHasNamedProperties, v_named},            /* 664a */
	{PidTagLocalCommitTime, v_time},                /* 6709 */
	{PidTagFolderId, v_id, BY_ROW},                 /* 6748 */
	{PidTagParentFolderId, v_id, BY_ROW},           /* 6749 */
	{PidTagMid, v_id, BY_ROW},                      /* 674a */
	{PidTagChangeNumber, v_id},                     /* 67a4 */
	{PidTagAssociated, v_bits, BY_ROW},             /* 67aa */
};

static int by_id(const void *key, const void *elem)
{
	uint16_t k = *(const uint16_t *)key, e = GX_PROP_ID(((const struct rule *)elem)->tag);
	return (k > e) - (k < e);
}

static const struct rule *rule_of(gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	return bsearch(&id, rules, sizeof(rules) / sizeof(rules[0]), sizeof(rules[0]), by_id);
}

bool gx_msg__is_computed(gx_proptag_t tag)
{
	return rule_of(tag) != NULL;
}

bool gx_msg__is_by_row(gx_proptag_t tag)
{
	const struct rule *r = rule_of(tag);
	return r != NULL && r->by_row;
}

static bool fits(gx_proptag_t have, gx_proptag_t want)
{
	uint16_t h = GX_PROP_TYPE(have), w = GX_PROP_TYPE(want);
	if (w == PtypUnspecified || h == w)
		return true;
	/* Text is UTF-8 whichever of the two types it was given. */
	return (h & ~1) == (PtypString8 & ~1) && (w & ~1) == (PtypString8 & ~1);
}

int gx_msg__computed(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	const struct rule *r = rule_of(tag);
	struct gx_propval pv = {0};
	int err = r == NULL ? GX_E_NOTFOUND : r->get(v, tag, &pv);
	if (err == 0 && !fits(pv.tag, tag))
		err = GX_E_NOTFOUND;
	if (err == 0)
		*ret_pv = pv;
	return err;
}

int gx_msg__all_computed(struct gx_msg_view *v, struct gx_proplist *l)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct gx_propval pv;
		int err = gx_msg__computed(v, rules[i].tag, &pv);
		if (err == 0)
			err = gx_proplist_set(l, v->a, pv.tag, pv.v);
		if (err != 0 && err != GX_E_NOTFOUND)
			return err;
	}
	return 0;
}

int gx_msg__value(struct gx_msg_view *v, gx_proptag_t tag, struct gx_propval *ret_pv)
{
	if (gx_msg__is_computed(tag))
		return gx_msg__computed(v, tag, ret_pv);
	const struct gx_propval *have = gx_prop__by_id(v->stored, tag);
	if (have == NULL || !fits(have->tag & ~(gx_proptag_t)GX_PROW_EXTERN, tag))
		return GX_E_NOTFOUND;
	*ret_pv = *have;
	return 0;
}

int gx_msg__packed_value(struct gx_bin props, gx_proptag_t tag, struct gx_arena *a, struct gx_propval *ret_pv)
{
	struct gx_propval pv;
	int err = gx_prow_find(props.data, props.len, GX_PROP_RETYPE(tag, PtypUnspecified), a, &pv);
	if (err == 0 && !fits(pv.tag & ~(gx_proptag_t)GX_PROW_EXTERN, tag))
		err = GX_E_NOTFOUND;
	if (err == 0)
		*ret_pv = pv;
	return err;
}
