/* SPDX-License-Identifier: Apache-2.0 */
/* The elements of a stream as they come become properties, recipients, attachments, messages and folders. [MS-OXCFXICS] 3.2.5.8.2 */
#include <config.h>
#include <string.h>
#include <gx/folder.h>
#include "libgxproto/emsmdb/fasttransfer_dest.h"

enum { PENDING_MOST = 1 << 20, WHOLE_MOST = 1 << 20 };

/* ---- Transactions ---- */

struct gx_txn *gx_ems__dest_txn(struct gx_ems_dest *d)
{
	if (d->t != NULL)
		return d->t;
	gx_ec ec = d->writes ? gx_rop__write(d->c, &d->t) : gx_rop__read(d->c, &d->t);
	if (gx_ec_failed(ec)) {
		d->t = NULL;
		d->ec = ec;
	}
	return d->t;
}

int gx_ems__dest_failed(struct gx_ems_dest *d, gx_ec ec)
{
	if (d->t != NULL && *gx_txn_why(d->t) != '\0')
		d->c->why = gx_arena_strdup(d->c->a, gx_txn_why(d->t));
	d->ec = ec;
	int err = gx_ec_to_err(ec);
	return err < 0 ? err : GX_E_INTERNAL;
}

/* A name that is new to the store is written at once. */
static gx_ec make_name(struct gx_ems_dest *d, const struct gx_propname *name, uint16_t *ret_id)
{
	struct gx_txn *t;
	if (d->writes)
		return gx_store_named_ids(d->t, true, name, 1, ret_id);
	gx_txn_abort(d->t);
	d->t = NULL;
	gx_ec ec = gx_rop__write(d->c, &t);
	return gx_ec_failed(ec) ? ec : gx_rop__end(d->c, t, gx_store_named_ids(t, true, name, 1, ret_id));
}

int gx_ems__dest_named(struct gx_ems_dest *d, const struct gx_propname *name, uint16_t *ret_id)
{
	if (gx_ems__dest_txn(d) == NULL)
		return gx_ems__dest_failed(d, d->ec);
	gx_ec ec = gx_store_named_ids(d->t, false, name, 1, ret_id);
	if (!gx_ec_failed(ec) && *ret_id == 0)
		ec = make_name(d, name, ret_id);
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

/* ---- Properties ---- */

/* Which message it was there, and in which version, does not count here. */
static bool is_foreign(gx_proptag_t tag)
{
	static const gx_proptag_t v[] = {
		PidTagSourceKey, PidTagParentSourceKey, PidTagChangeKey, PidTagPredecessorChangeList, PidTagMid, PidTagChangeNumber,
		PidTagEntryId, PidTagParentEntryId, PidTagRecordKey, PidTagAssociated, PidTagFolderId, PidTagParentFolderId,
		PidTagAttachNumber,
	};
	for (size_t i = 0; i < sizeof(v) / sizeof(v[0]); ++i)
		if (GX_PROP_ID(v[i]) == GX_PROP_ID(tag))
			return true;
	return false;
}

/* State and time of a message that is there are its own. */
static bool is_own(const struct gx_ems_dest_frame *f, gx_proptag_t tag)
{
	struct gx_inst_info info;
	uint16_t id = GX_PROP_ID(tag);
	if (f->inst == NULL || !f->is_root)
		return false;
	if (id == GX_PROP_ID(PidTagLastModificationTime))
		return true;
	if (id != GX_PROP_ID(PidTagMessageFlags) && id != GX_PROP_ID(PidTagRead))
		return false;
	gx_inst_info(f->inst, &info);
	return !info.is_new;
}

static bool of_folders(gx_proptag_t tag)
{
	uint16_t id = GX_PROP_ID(tag);
	return gx_ems__of_folder_only(tag) || id == GX_PROP_ID(PidTagFolderType) || id == GX_PROP_ID(PidTagCreationTime) ||
		id == GX_PROP_ID(PidTagLastModificationTime);
}

static bool takes(const struct gx_ems_dest *d, gx_proptag_t tag)
{
	if (d->in_rcpt)
		return true;
	if (is_foreign(tag) || is_own(d->top, tag))
		return false;
	/* the folder that was open keeps its name */
	return d->top->inst != NULL || !(of_folders(tag) || (d->top->is_root && GX_PROP_ID(tag) == GX_PROP_ID(PidTagDisplayName)));
}

static gx_ec make_folder(struct gx_ems_dest *d)
{
	struct gx_folder_create_opts o = GX_FOLDER_CREATE_OPTS_INIT;
	o.parent = d->top->outer->fid;
	o.name = gx_proplist_str(&d->pending, PidTagDisplayName, NULL);
	o.container_class = gx_proplist_str(&d->pending, PidTagContainerClass, NULL);
	if (o.name == NULL)
		return gx_rop__fail(d->c, ecInvalidParam, "a folder without a name");
	gx_proplist_remove(&d->pending, PidTagDisplayName);
	gx_proplist_remove(&d->pending, PidTagContainerClass);
	o.props = &d->pending;
	return gx_folder_create_with(d->t, &o, &d->top->fid);
}

static gx_ec set_pending(struct gx_ems_dest *d)
{
	struct gx_ems_dest_frame *f = d->top;
	if (f->inst != NULL)
		return gx_inst_set_props(f->inst, &d->pending, GX_SET_TRUSTED, d->a, NULL);
	return f->fid == 0 ? make_folder(d) : gx_folder_set_props(d->t, f->fid, &d->pending);
}

/* A new folder's properties must all be there before it is made: its caller knows. */
static int flush(struct gx_ems_dest *d)
{
	bool new_folder = d->top->inst == NULL && d->top->fid == 0;
	if (d->in_rcpt || (d->pending.count == 0 && !new_folder))
		return 0;
	gx_ec ec = gx_ems__dest_txn(d) == NULL ? d->ec : set_pending(d);
	d->pending = (struct gx_proplist){0};
	gx_arena_reset(d->a);
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

int gx_ems__dest_flush(struct gx_ems_dest *d)
{
	return d->top->inst == NULL && d->top->fid == 0 ? 0 : flush(d);
}

static int add(struct gx_ems_dest *d, gx_proptag_t tag, const union gx_value *src)
{
	union gx_value v;
	int err = gx_value_copy(d->a, GX_PROP_TYPE(tag), src, &v);
	err = err != 0 ? err : gx_proplist_set(&d->pending, d->a, tag, v);
	return err != 0 || gx_arena_used(d->a) < PENDING_MOST ? err : gx_ems__dest_flush(d);
}

static int tag_of(struct gx_ems_dest *d, const struct gx_ftx_prop *p, gx_proptag_t *ret_tag)
{
	uint16_t id;
	int err = p->name == NULL ? 0 : gx_ems__dest_named(d, p->name, &id);
	*ret_tag = err != 0 || p->name == NULL ? p->tag : GX_PROP_TAG(id, GX_PROP_TYPE(p->tag));
	return err;
}

static int on_prop(const struct gx_ftx_prop *p, void *ctx)
{
	struct gx_ems_dest *d = ctx;
	gx_proptag_t tag;
	int err = takes(d, p->tag) ? tag_of(d, p, &tag) : 1;
	return err == 1 ? 0 : err != 0 ? err : add(d, tag, &p->v);
}

/* ---- Large values ---- */

static int on_begin(const struct gx_ftx_prop *p, uint32_t size, void *ctx)
{
	struct gx_ems_dest *d = ctx;
	d->written = 0;
	d->keeps = false;
	if (!takes(d, p->tag))
		return 0;
	int err = tag_of(d, p, &d->tag);
	if (err != 0)
		return err;
	if (d->in_rcpt || d->top->inst == NULL) {
		d->keeps = true;
		gx_push_init(&d->whole, WHOLE_MOST);
		return size > 2 * WHOLE_MOST ? GX_E_LIMIT : 0;
	}
	err = flush(d);
	if (err != 0 || gx_ems__dest_txn(d) == NULL)
		return err != 0 ? err : gx_ems__dest_failed(d, d->ec);
	gx_ec ec = gx_inst_stream_open(d->t, d->top->inst, d->tag, GX_STREAM_CREATE, &d->value);
	if (!gx_ec_failed(ec))
		return 0;
	d->value = NULL; /* computed ones are passed over */
	return gx_ec_is(ec, ecAccessDenied) || gx_ec_is(ec, ecNotSupported) ? 0 : gx_ems__dest_failed(d, ec);
}

static int on_part(const void *data, size_t n, void *ctx)
{
	struct gx_ems_dest *d = ctx;
	if (d->keeps) {
		gx_push_bytes(&d->whole, data, n);
		return d->whole.err;
	}
	if (d->value == NULL)
		return 0;
	gx_ec ec = gx_ems__dest_txn(d) == NULL ? d->ec : gx_inst_stream_write(d->t, d->value, d->written, data, n);
	d->written += n;
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

static int keep_whole(struct gx_ems_dest *d)
{
	bool text = GX_PROP_TYPE(d->tag) == PtypString || GX_PROP_TYPE(d->tag) == PtypString8;
	gx_push_u8(&d->whole, 0);
	const union gx_value str = {.str = (const char *)d->whole.data}, bin = {.bin = {d->whole.data, d->whole.len - 1}};
	int err = d->whole.err != 0 ? d->whole.err : add(d, d->tag, text ? &str : &bin);
	gx_push_release(&d->whole);
	return err;
}

static int on_end(void *ctx)
{
	struct gx_ems_dest *d = ctx;
	if (d->keeps)
		return keep_whole(d);
	gx_ec ec = d->value == NULL ? EMS_OK : gx_inst_stream_commit(d->value);
	gx_inst_stream_free(d->value);
	d->value = NULL;
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

/* ---- Parts ---- */

static gx_ec end_rcpt(struct gx_ems_dest *d)
{
	struct gx_inst *inst = d->top->inst;
	size_t n = 0;
	gx_ec ec = EMS_OK;
	if (gx_proplist_get(&d->pending, PidTagRowid) == NULL) {
		ec = gx_inst_rcpt_count(inst, &n);
		if (!gx_ec_failed(ec))
			ec = gx_ec_from_err(gx_proplist_set_i32(&d->pending, d->a, PidTagRowid, (int32_t)n));
	}
	if (!gx_ec_failed(ec))
		ec = gx_inst_set_rcpts(inst, &d->pending, 1);
	d->pending = (struct gx_proplist){0};
	d->in_rcpt = false;
	gx_arena_reset(d->a);
	return ec;
}

static gx_ec begin_message(struct gx_ems_dest *d, bool fai)
{
	struct gx_inst_new_opts o = GX_INST_NEW_OPTS_INIT;
	struct gx_inst *inst;
	o.associated = fai;
	o.bare = true;
	gx_ec ec = gx_inst_new(d->t, d->top->fid, &o, &inst);
	return gx_ec_failed(ec) ? ec : gx_ec_from_err(gx_ems__dest_push(d, inst, 0));
}

static gx_ec begin_attachment(struct gx_ems_dest *d)
{
	struct gx_inst *inst;
	uint32_t num;
	gx_ec ec = gx_inst_att_new(d->t, d->top->inst, &num, &inst);
	return gx_ec_failed(ec) ? ec : gx_ec_from_err(gx_ems__dest_push(d, inst, 0));
}

static gx_ec begin_embedded(struct gx_ems_dest *d)
{
	struct gx_inst *inst;
	gx_ec ec = gx_inst_embedded_open(d->t, d->top->inst, true, GX_INST_WRITE, &inst);
	return gx_ec_failed(ec) ? ec : gx_ec_from_err(gx_ems__dest_push(d, inst, 0));
}

static gx_ec end_object(struct gx_ems_dest *d)
{
	gx_ec ec = gx_inst_save(d->t, d->top->inst, 0, NULL);
	gx_ems__dest_pop(d);
	return ec;
}

/* What was begun of a message goes, [MS-OXCFXICS] 2.2.4.3.4 */
static gx_ec drop_message(struct gx_ems_dest *d)
{
	while (d->top->inst != NULL && !d->top->is_root)
		gx_ems__dest_pop(d);
	d->pending = (struct gx_proplist){0};
	d->in_rcpt = false;
	return d->top->inst != NULL ? gx_inst_clear(d->top->inst) : EMS_OK;
}

static gx_ec apply(struct gx_ems_dest *d, gx_proptag_t m)
{
	switch (m) {
	case StartTopFld:
	case StartSubFld: return gx_ec_from_err(gx_ems__dest_push(d, NULL, 0));
	case EndFolder: gx_ems__dest_pop(d); return EMS_OK;
	case StartMessage: return begin_message(d, false);
	case StartFAIMsg: return begin_message(d, true);
	case NewAttach: return begin_attachment(d);
	case StartEmbed: return begin_embedded(d);
	case EndMessage:
	case EndAttach:
	case EndEmbed: return end_object(d);
	case StartRecip: d->in_rcpt = true; return EMS_OK;
	case EndToRecip: return end_rcpt(d);
	case FXErrorInfo: return drop_message(d);
	default: return EMS_OK;
	}
}

static int on_marker(gx_proptag_t m, void *ctx)
{
	struct gx_ems_dest *d = ctx;
	int err = m == FXErrorInfo ? 0 : flush(d);
	if (err != 0 || gx_ems__dest_txn(d) == NULL)
		return err != 0 ? err : gx_ems__dest_failed(d, d->ec);
	gx_ec ec = apply(d, m);
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

/* [MS-OXCFXICS] 2.2.4.1.5.6: what of the object is to go before others come. */
static gx_ec delete_parts(struct gx_ems_dest *d, uint32_t what)
{
	const struct gx_ems_dest_frame *f = d->top;
	uint32_t content = what == PidTagContainerContents ? GX_CONTENT_NORMAL : what == PidTagFolderAssociatedContents ? GX_CONTENT_FAI :
		what == PidTagContainerHierarchy ? GX_CONTENT_FOLDERS : 0U;
	bool partial, more;
	if (f->inst == NULL)
		return content == 0 ? EMS_OK : gx_folder_empty(d->t, f->fid, content, 0, &partial, &more);
	return what == PidTagMessageRecipients ? gx_inst_clear_rcpts(f->inst) :
		what == PidTagMessageAttachments ? gx_inst_clear_atts(d->t, f->inst) : EMS_OK;
}

static int on_meta(const struct gx_ftx_prop *p, void *ctx)
{
	struct gx_ems_dest *d = ctx;
	if (p->tag != MetaTagFXDelProp) /* warnings and names of servers */
		return 0;
	int err = flush(d);
	if (err != 0 || gx_ems__dest_txn(d) == NULL)
		return err != 0 ? err : gx_ems__dest_failed(d, d->ec);
	gx_ec ec = delete_parts(d, (uint32_t)p->v.i32);
	return gx_ec_failed(ec) ? gx_ems__dest_failed(d, ec) : 0;
}

const struct gx_ftx_in_ops gx_ems__dest_ops = {.marker = on_marker, .prop = on_prop, .meta = on_meta, .begin = on_begin, .part = on_part,
	.end = on_end};
