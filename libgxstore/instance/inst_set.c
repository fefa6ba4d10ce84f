/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>
#include <string.h>
#include "libgxstore/instance/inst-int.h"

/* Setting and removing properties of instances. */

int gx_problems__add(struct gx_problems *p, struct gx_arena *a, size_t index, gx_proptag_t tag, uint32_t code)
{
	struct gx_problem *v = gx_arena_grow(a, p->v, &p->cap, p->count + 1, sizeof(*v));
	if (v == NULL)
		return GX_E_NOMEM;
	p->v = v;
	p->v[p->count++] = (struct gx_problem){.index = (uint16_t)index, .tag = tag, .err = code};
	return 0;
}

static int plain(struct gx_inst *i, const struct gx_propval *pv)
{
	int err = gx_iprops__set(gx_inst__props(i), i->tree->acct, pv->tag, &pv->v);
	if (err == 0 && i->msg != NULL && GX_PROP_IS_NAMED(pv->tag))
		err = gx_imsg__note_named(i->msg, GX_PROP_ID(pv->tag));
	return err;
}

static int set_str(struct gx_inst *i, gx_proptag_t tag, const char *s)
{
	union gx_value v = {.str = s};
	return gx_iprops__set(&i->msg->props, i->tree->acct, tag, &v);
}

/* ---- Subjects ---- */

static const char *text_of(const struct gx_imsg *m, gx_proptag_t tag)
{
	struct gx_propval pv;
	return gx_iprops__get(&m->props, tag, &pv) ? pv.v.str : NULL;
}

/* [MS-OXCMSG] 2.2.1.9, 2.2.1.10: the whole decides about its parts, and a part changes the whole. */
static int subject_whole(struct gx_inst *i, const char *s, struct gx_arena *a)
{
	size_t n = gx_subject_prefix(s);
	const char *prefix = gx_arena_strndup(a, s, n);
	int err = prefix == NULL ? GX_E_NOMEM : set_str(i, PidTagSubject, s);
	if (err == 0)
		err = set_str(i, PidTagNormalizedSubject, s + n);
	if (err == 0 && n > 0)
		err = set_str(i, PidTagSubjectPrefix, prefix);
	else if (err == 0)
		gx_iprops__remove(&i->msg->props, PidTagSubjectPrefix);
	return err;
}

static int subject_part(struct gx_inst *i, const struct gx_propval *pv, struct gx_arena *a)
{
	const char *whole = text_of(i->msg, PidTagSubject), *prefix = text_of(i->msg, PidTagSubjectPrefix);
	const char *rest = text_of(i->msg, PidTagNormalizedSubject);
	if (rest == NULL)
		rest = whole == NULL ? "" : whole + (prefix == NULL ? gx_subject_prefix(whole) : 0);
	if (pv->tag == PidTagNormalizedSubject)
		rest = pv->v.str;
	else
		prefix = pv->v.str;
	/* A prefix that the text begins with was not split off yet. */
	if (pv->tag == PidTagSubjectPrefix && *prefix != '\0' && strncmp(rest, prefix, strlen(prefix)) == 0)
		rest += strlen(prefix);
	const char *p = gx_arena_strdup(a, prefix == NULL ? "" : prefix), *r = gx_arena_strdup(a, rest);
	const char *s = p == NULL || r == NULL ? NULL : gx_arena_printf(a, "%s%s", p, r);
	int err = s == NULL ? GX_E_NOMEM : set_str(i, PidTagSubject, s);
	if (err == 0)
		err = set_str(i, PidTagNormalizedSubject, r);
	return err != 0 ? err : set_str(i, PidTagSubjectPrefix, p);
}

static int set_subject(struct gx_inst *i, const struct gx_propval *pv, uint32_t *ret_code)
{
	if (GX_PROP_TYPE(pv->tag) != PtypString) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	struct gx_arena *a = gx_arena_new(0);
	if (a == NULL)
		return GX_E_NOMEM;
	int err = pv->tag == PidTagSubject ? subject_whole(i, pv->v.str, a) : subject_part(i, pv, a);
	gx_arena_free(a);
	return err;
}

/* ---- Bodies ---- */

static unsigned format_of(gx_proptag_t tag)
{
	switch (GX_PROP_ID(tag)) {
	case GX_PROP_ID(PidTagBody):
		return GX_IBODY_PLAIN;
	case GX_PROP_ID(PidTagRtfCompressed):
		return GX_IBODY_RTF;
	case GX_PROP_ID(PidTagHtml):
		return GX_IBODY_HTML;
	default:
		return GX_IBODY_NATIVE;
	}
}

/* A new text makes what the message had before wrong in all formats; those given together belong together. */
void gx_inst__new_body(struct gx_inst *i, gx_proptag_t tag)
{
	static const gx_proptag_t all[] = {PidTagBody, PidTagRtfCompressed, PidTagHtml, PidTagNativeBody};
	struct gx_imsg *m = i->msg;
	m->bodies_set |= format_of(tag);
	if (format_of(tag) == GX_IBODY_NATIVE)
		return;
	for (size_t k = 0; k < sizeof(all) / sizeof(all[0]); k++)
		if (!(m->bodies_set & format_of(all[k])))
			gx_iprops__remove(&m->props, all[k]);
	if (!(m->bodies_set & GX_IBODY_RTF) && format_of(tag) != GX_IBODY_RTF)
		gx_iprops__remove(&m->props, PidTagRtfInSync);
}

static int set_body(struct gx_inst *i, const struct gx_propval *pv, uint32_t *ret_code)
{
	struct gx_propval v = *pv;
	if (pv->tag == PidTagBodyHtml) { /* the same property as text: it is kept as bytes, and says in what code page */
		const union gx_value utf8 = {.i32 = 65001};
		v.tag = PidTagHtml;
		v.v.bin = (struct gx_bin){(const uint8_t *)pv->v.str, strlen(pv->v.str)};
		int err = gx_iprops__set(&i->msg->props, i->tree->acct, PidTagInternetCodepage, &utf8);
		if (err != 0)
			return err;
	}
	if (v.tag != PidTagBody && v.tag != PidTagHtml && v.tag != PidTagRtfCompressed && v.tag != PidTagNativeBody) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	int err = plain(i, &v);
	if (err == 0)
		gx_inst__new_body(i, v.tag);
	return err;
}

/* ---- State ---- */

static void take_flag(struct gx_msg_row *r, uint32_t column, bool on)
{
	r->flags = on ? r->flags | column : r->flags & ~column;
}

/* What PidTagMessageFlags says, as columns; GX_MSGF_MODIFIED is there as its contrary. */
static const struct {
	uint32_t columns;
	int32_t flag;
} state[] = {
	{GX_MSGF_READ, MSGFLAG_READ}, {GX_MSGF_UNSENT | GX_MSGF_DRAFT, MSGFLAG_UNSENT}, {GX_MSGF_RESEND, MSGFLAG_RESEND},
	{GX_MSGF_FROMME, MSGFLAG_FROMME}, {GX_MSGF_SUBMIT, MSGFLAG_SUBMIT},
};

uint32_t gx_inst__columns(int32_t f)
{
	uint32_t columns = f & MSGFLAG_UNMODIFIED ? 0 : GX_MSGF_MODIFIED;
	for (size_t k = 0; k < sizeof(state) / sizeof(state[0]); k++)
		columns |= f & state[k].flag ? state[k].columns : 0;
	return columns;
}

int gx_inst__put_state(struct gx_inst *i)
{
	int32_t f = i->row.flags & GX_MSGF_MODIFIED ? 0 : MSGFLAG_UNMODIFIED;
	for (size_t k = 0; k < sizeof(state) / sizeof(state[0]); k++)
		f |= i->row.flags & state[k].columns ? state[k].flag : 0;
	return gx_iprops__set(&i->msg->props, i->tree->acct, PidTagMessageFlags, &(union gx_value){.i32 = f});
}

static void message_flags(struct gx_inst *i, int32_t f, bool trusted)
{
	uint32_t mask = GX_MSGF_READ | GX_MSGF_UNSENT | GX_MSGF_DRAFT | GX_MSGF_RESEND;
	if (trusted) {
		mask |= GX_MSGF_FROMME | GX_MSGF_SUBMIT | GX_MSGF_MODIFIED;
		i->given_flags = true;
	}
	i->row.flags = (i->row.flags & ~mask) | (gx_inst__columns(f) & mask);
}

static int set_new(struct gx_inst *i, const struct gx_propval *pv, uint32_t flags, uint32_t *ret_code)
{
	bool trusted = (flags & GX_SET_TRUSTED) != 0;
	if (!i->is_new && !trusted) {
		*ret_code = ecAccessDenied;
		return 0;
	}
	if (pv->tag == PidTagMessageFlags)
		message_flags(i, pv->v.i32, trusted);
	else if (pv->tag == PidTagRead)
		take_flag(&i->row, GX_MSGF_READ, pv->v.b);
	else if (pv->tag == PidTagCreationTime)
		return plain(i, pv);
	else
		*ret_code = ecUnexpectedType;
	return 0;
}

static int set_version(struct gx_inst *i, const struct gx_propval *pv, uint32_t flags, uint32_t *ret_code)
{
	if (!(flags & GX_SET_TRUSTED)) {
		*ret_code = ecComputedValue;
		return 0;
	}
	switch (pv->tag) {
	case PidTagMid:
		i->new_mid = i->is_new ? (uint64_t)pv->v.i64 : i->new_mid;
		return 0;
	case PidTagAssociated:
		if (i->is_new && i->parent == NULL)
			take_flag(&i->row, GX_MSGF_FAI, pv->v.b);
		return 0;
	case PidTagChangeNumber:
		i->given_cn = (uint64_t)pv->v.i64;
		return plain(i, pv);
	case PidTagChangeKey:
		i->given_key = true;
		return plain(i, pv);
	case PidTagLastModificationTime:
		i->given_modified = true;
		return plain(i, pv);
	case PidTagPredecessorChangeList:
		return plain(i, pv);
	default:
		*ret_code = ecUnexpectedType;
		return 0;
	}
}

static int set_flag(struct gx_inst *i, const struct gx_propval *pv, uint32_t *ret_code)
{
	if (pv->tag != PidTagFlagStatus) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	take_flag(&i->row, GX_MSGF_FLAGGED, pv->v.i32 == followupFlagged);
	return plain(i, pv);
}

static int set_verb(struct gx_inst *i, const struct gx_propval *pv, uint32_t *ret_code)
{
	if (pv->tag != PidTagLastVerbExecuted) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	if (pv->v.i32 == VERB_REPLY || pv->v.i32 == VERB_REPLYALL)
		take_flag(&i->row, GX_MSGF_ANSWERED, true);
	else if (pv->v.i32 == VERB_FORWARD)
		take_flag(&i->row, GX_MSGF_FORWARDED, true);
	return plain(i, pv);
}

/* msInConflict is the server's, [MS-OXCMSG] 2.2.1.8. */
static int set_status(struct gx_inst *i, const struct gx_propval *pv, uint32_t flags, uint32_t *ret_code)
{
	const int32_t in_conflict = 0x800;
	struct gx_propval v = *pv, old;
	if (pv->tag != PidTagMessageStatus) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	if (!gx_iprops__get(&i->msg->props, PidTagMessageStatus, &old))
		old.v.i32 = 0;
	if (!(flags & GX_SET_TRUSTED))
		v.v.i32 = (pv->v.i32 & ~in_conflict) | (old.v.i32 & in_conflict);
	return plain(i, &v);
}

/* On a message that came in it is how a receipt is called off, on a draft how one is asked for. */
static int set_receipt(struct gx_inst *i, const struct gx_propval *pv, uint32_t *ret_code)
{
	bool read = pv->tag == PidTagReadReceiptRequested;
	if (!read && pv->tag != PidTagNonReceiptNotificationRequested) {
		*ret_code = ecUnexpectedType;
		return 0;
	}
	if (!pv->v.b)
		take_flag(&i->row, read ? GX_MSGF_RNPENDING : GX_MSGF_NRNPENDING, false);
	return plain(i, pv);
}

/* ---- One property ---- */

/* Text is UTF-8 whatever its tag says. */
static gx_proptag_t normal_tag(gx_proptag_t tag)
{
	switch (GX_PROP_TYPE(tag)) {
	case PtypString8:
		return GX_PROP_RETYPE(tag, PtypString);
	case PtypMultipleString8:
		return GX_PROP_RETYPE(tag, PtypMultipleString);
	default:
		return tag;
	}
}

static bool storable(uint16_t type)
{
	return gx_ptype_known(type) && type != PtypUnspecified && type != PtypNull && type != PtypErrorCode && (type & GX_MVI_FLAG) != GX_MVI_FLAG;
}

int gx_inst__set(struct gx_inst *i, const struct gx_propval *pv, uint32_t flags, uint32_t *ret_code)
{
	struct gx_propval v = {.tag = normal_tag(pv->tag), .v = pv->v};
	*ret_code = ecSuccess;
	if (!storable(GX_PROP_TYPE(v.tag)) || GX_PROP_ID(v.tag) == 0) {
		*ret_code = ecInvalidType;
		return 0;
	}
	switch (gx_inst__is_msg(i) ? gx_rule__msg(v.tag) : gx_rule__att(v.tag)) {
	case GX_RULE_COMPUTED:
		*ret_code = flags & GX_SET_TRUSTED ? ecSuccess : ecComputedValue;
		return 0;
	case GX_RULE_VERSION:
		return set_version(i, &v, flags, ret_code);
	case GX_RULE_NEW:
		return set_new(i, &v, flags, ret_code);
	case GX_RULE_SUBJECT:
		return set_subject(i, &v, ret_code);
	case GX_RULE_BODY:
		return set_body(i, &v, ret_code);
	case GX_RULE_FLAG:
		return set_flag(i, &v, ret_code);
	case GX_RULE_VERB:
		return set_verb(i, &v, ret_code);
	case GX_RULE_STATUS:
		return set_status(i, &v, flags, ret_code);
	case GX_RULE_RECEIPT:
		return set_receipt(i, &v, ret_code);
	default:
		return plain(i, &v);
	}
}

static int remove_plain(struct gx_inst *i, gx_proptag_t tag)
{
	bool was = gx_iprops__remove(gx_inst__props(i), tag);
	return was && i->msg != NULL && GX_PROP_IS_NAMED(tag) ? gx_imsg__note_named(i->msg, GX_PROP_ID(tag)) : 0;
}

int gx_inst__remove(struct gx_inst *i, gx_proptag_t tag, uint32_t flags, uint32_t *ret_code)
{
	bool trusted = (flags & GX_SET_TRUSTED) != 0;
	*ret_code = ecSuccess;
	switch (gx_inst__is_msg(i) ? gx_rule__msg(tag) : gx_rule__att(tag)) {
	case GX_RULE_COMPUTED:
	case GX_RULE_VERSION:
		*ret_code = trusted ? ecSuccess : ecComputedValue;
		return 0;
	case GX_RULE_NEW:
		*ret_code = trusted ? ecSuccess : ecAccessDenied;
		return 0;
	case GX_RULE_SUBJECT:
		gx_iprops__remove(&i->msg->props, PidTagSubject);
		gx_iprops__remove(&i->msg->props, PidTagNormalizedSubject);
		gx_iprops__remove(&i->msg->props, PidTagSubjectPrefix);
		return 0;
	case GX_RULE_BODY:
		i->msg->bodies_set &= ~format_of(tag);
		return remove_plain(i, tag);
	case GX_RULE_FLAG:
		take_flag(&i->row, GX_MSGF_FLAGGED, false);
		return remove_plain(i, tag);
	case GX_RULE_RECEIPT:
		take_flag(&i->row, GX_PROP_ID(tag) == GX_PROP_ID(PidTagReadReceiptRequested) ? GX_MSGF_RNPENDING : GX_MSGF_NRNPENDING, false);
		return remove_plain(i, tag);
	default:
		return remove_plain(i, tag);
	}
}

/* ---- The API ---- */

bool gx_inst__shown(const struct gx_inst *i, gx_proptag_t tag)
{
	if (i->msg == NULL || (gx_rule__msg(tag) == GX_RULE_RECEIPT && !(i->row.flags & GX_MSGF_UNSENT)))
		return false;
	return gx_rule__rendered(i->msg, tag);
}

static int set_all(struct gx_inst *i, const struct gx_proplist *l, uint32_t flags, struct gx_arena *a, struct gx_problems *p)
{
	for (size_t k = 0; k < l->count; k++) {
		gx_proptag_t tag = l->v[k].tag;
		uint32_t code;
		bool was = gx_inst__shown(i, tag); /* the class decides, which may change here */
		int err = gx_inst__set(i, &l->v[k], flags, &code);
		if (err == 0 && code != ecSuccess && p != NULL)
			err = gx_problems__add(p, a, k, tag, code);
		if (err != 0 || code == ecSuccess)
			gx_inst__touch(i, GX_IDIRTY_PROPS | (was || gx_inst__shown(i, tag) ? GX_IDIRTY_RENDERED : 0));
		if (err != 0)
			return err;
	}
	return 0;
}

gx_ec gx_inst_set_props(struct gx_inst *i, const struct gx_proplist *l, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems)
{
	struct gx_problems p = {0};
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable(i);
	if (!gx_ec_failed(ec))
		ec = gx_inst__ec(NULL, set_all(i, l, flags, a, ret_problems == NULL ? NULL : &p));
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec) && ret_problems != NULL)
		*ret_problems = p;
	return ec;
}

static int remove_all(struct gx_inst *i, const gx_proptag_t *tags, size_t n, uint32_t flags, struct gx_arena *a, struct gx_problems *p)
{
	for (size_t k = 0; k < n; k++) {
		uint32_t code;
		bool was = gx_inst__shown(i, tags[k]), there = gx_iprops__find(gx_inst__props(i), tags[k]) != NULL;
		const uint32_t before = i->row.flags; /* some are there as these alone */
		int err = gx_inst__remove(i, tags[k], flags, &code);
		if (err == 0 && code != ecSuccess && p != NULL)
			err = gx_problems__add(p, a, k, tags[k], code);
		if (err != 0 || ((there || i->row.flags != before) && code == ecSuccess))
			gx_inst__touch(i, GX_IDIRTY_PROPS | (was || gx_inst__shown(i, tags[k]) ? GX_IDIRTY_RENDERED : 0));
		if (err != 0)
			return err;
	}
	return 0;
}

gx_ec gx_inst_remove_props(struct gx_inst *i, const gx_proptag_t *tags, size_t n, uint32_t flags, struct gx_arena *a,
	struct gx_problems *ret_problems)
{
	struct gx_problems p = {0};
	gx_inst__lock(i);
	gx_ec ec = gx_inst__writable(i);
	if (!gx_ec_failed(ec))
		ec = gx_inst__ec(NULL, remove_all(i, tags, n, flags, a, ret_problems == NULL ? NULL : &p));
	gx_inst__unlock(i);
	if (!gx_ec_failed(ec) && ret_problems != NULL)
		*ret_problems = p;
	return ec;
}
